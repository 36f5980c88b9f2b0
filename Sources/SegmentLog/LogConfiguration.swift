import LogModel
import SystemPackage

/// What recovery does when it finds damage below what was once synced.
public struct RecoveryMode: Hashable, Sendable {
    private enum Choice: Hashable { case refuse, tolerate, quarantine }
    private let choice: Choice

    /// Opening fails with ``LogError/damaged(_:)``, and nothing is changed on disk.
    public static let refuseDamage = RecoveryMode(choice: .refuse)
    /// The log ends before the damage. What follows is kept beside it in `*.damaged` files and reported.
    public static let tolerateDamage = RecoveryMode(choice: .tolerate)
    /// The log opens as far as its end is known for sure; damaged ranges are reported, reads of them throw
    /// ``LogError/damaged(_:)``, and all others go on. For nodes of a cluster, which get the ranges from a peer.
    package static let quarantineDamage = RecoveryMode(choice: .quarantine)
}

/// Damage in what a node has to read when it starts: the log ends before it, what comes from there on is kept in
/// `*.damaged` files, and the node is barred from voting until the leader has made its log whole again.
package enum GivenUpPart: Hashable, Sendable {
    case from(Damage)
    /// Not even the first frame is good: the directory becomes blank, but for IDENTITY and VOTE.
    case everything
}

/// How frames come into the active segment.
package enum FramePath: Hashable, Sendable {
    /// Copied into a mapping: no system call. For logs that are rarely synced, since a sync carries the whole folio, up to
    /// 1 MiB, of which a byte was touched.
    case mapped
    /// Kept in memory for the sync that covers them, so that all of them are written at once: for a log that nobody reads
    /// beyond its durable position.
    case staged
    /// Written at once: for a log that is synced all the time and read up to its tail.
    case written
}

/// How a log is stored and opened.
public struct LogConfiguration: Hashable, Sendable {
    /// Made when missing. Holds one log and nothing else.
    public var directory: FilePath
    /// Names the writer in each frame and event; an existing directory of another node is refused.
    public var node: NodeID
    /// Refuses a directory of another cluster; `nil` accepts what is there, and draws one for a new log.
    public var cluster: ClusterID?
    public var policy: FsyncPolicy
    /// Bytes of one segment file: 1 MiB ..< 4 GiB. A frame must fit into one.
    public var segmentByteCountMax: Int
    /// Descriptors kept open for readers, 1 ... 65,536; one in use is never closed.
    public var openFilesMax: Int
    public var recovery: RecoveryMode
    /// What goes by itself; everything stays unless told otherwise.
    public var retention: RetentionPolicy
    /// How the records of a batch are stored; each batch says for itself, so a log may hold both kinds.
    public var compression: RecordCompression
    /// How fast sealed segments are reread in the background to find rot early: bytes a second, 0 for never.
    public var scrubBytesPerSecond: Int
    /// What a node of a cluster does without, since its peers have it too.
    package var givenUp: GivenUpPart?
    /// What it may have vouched for, as an earlier look at the directory told.
    package var vouched: LogPoint?
    /// Lets tests rotate every few kilobytes.
    package var allowsSmallSegments = false
    /// How frames come into the active segment, where the file system allows a choice.
    package var framePath = FramePath.mapped

    public init(
        directory: FilePath,
        node: NodeID = NodeID(1),
        cluster: ClusterID? = nil,
        policy: FsyncPolicy = .always,
        segmentByteCountMax: Int = 128 << 20,
        openFilesMax: Int = 16,
        recovery: RecoveryMode = .refuseDamage,
        retention: RetentionPolicy = .keepsEverything,
        compression: RecordCompression = .none,
        scrubBytesPerSecond: Int = 8 << 20
    ) {
        self.directory = directory
        self.node = node
        self.cluster = cluster
        self.policy = policy
        self.segmentByteCountMax = segmentByteCountMax
        self.openFilesMax = openFilesMax
        self.recovery = recovery
        self.retention = retention
        self.compression = compression
        self.scrubBytesPerSecond = scrubBytesPerSecond
    }

    /// - Throws: ``LogError/configuration(_:)`` with the first mistake found.
    public func validate() throws(LogError) {
        guard !self.directory.isEmpty else { throw .configuration(.emptyDirectory) }
        guard self.node.rawValue > 0 else { throw .configuration(.nodeZero) }
        let bounds = EngineLimits.segmentByteCounts
        let lowest = self.allowsSmallSegments ? EngineLimits.segmentByteCountMinForTests : bounds.lowerBound
        guard self.segmentByteCountMax >= lowest, self.segmentByteCountMax < bounds.upperBound else {
            throw .configuration(.segmentByteCountMax(self.segmentByteCountMax, allowed: lowest..<bounds.upperBound))
        }
        guard EngineLimits.openFiles.contains(self.openFilesMax) else {
            throw .configuration(.openFilesMax(self.openFilesMax, allowed: EngineLimits.openFiles))
        }
        try self.validateChoices()
    }

    private func validateChoices() throws(LogError) {
        if case .batch(let window) = self.policy {
            guard EngineLimits.batchWindowMilliseconds.contains(window) else {
                throw .configuration(.batchWindow(window, allowed: EngineLimits.batchWindowMilliseconds))
            }
        }
        if case .deflate(let level) = self.compression, !(1...9).contains(level) {
            throw .configuration(.compressionLevel(level, allowed: 1...9))
        }
        guard self.scrubBytesPerSecond >= 0 else {
            throw .configuration(.scrubBytesPerSecond(self.scrubBytesPerSecond))
        }
        guard self.retention.byteCountMax ?? 0 >= 0, self.retention.ageMax ?? .zero >= .zero else {
            throw .configuration(.negativeRetention)
        }
    }
}

/// What is wrong with a ``LogConfiguration``.
public enum ConfigurationMistake: Hashable, Sendable {
    case emptyDirectory
    /// Nodes are numbered from 1.
    case nodeZero
    case segmentByteCountMax(Int, allowed: Range<Int>)
    case openFilesMax(Int, allowed: ClosedRange<Int>)
    case batchWindow(UInt64, allowed: ClosedRange<UInt64>)
    case compressionLevel(Int, allowed: ClosedRange<Int>)
    /// Bytes a second, or 0 for never.
    case scrubBytesPerSecond(Int)
    case negativeRetention
}
