import DiskIO
import LogModel
import LogState
import SegmentFormat
import SystemPackage

/// Who uses the directory.
package enum LogMode: Hashable, Sendable {
    /// A log of its own: no votes.
    case standalone
    /// A node of a cluster.
    case cluster
}

/// A directory that was opened and is locked: what is in it, and what was found.
package struct OpenedLog: Sendable {
    package internal(set) var identity: NodeIdentity
    /// `nil` in standalone mode.
    package let votes: VoteFile?
    /// `nil` in standalone mode.
    package let starts: StartsFile?
    /// `nil` until a log is formed here.
    package internal(set) var writer: LogWriter?
    package var store: LogStore? { self.writer?.store }
    /// What recovery did.
    package internal(set) var report: RecoveryReport
    /// The last point that this node may have vouched for; `nil` when nobody knows.
    package internal(set) var vouched: LogPoint?
    /// Why this node must not vote.
    package var bar: VotingBar { self.votes?.bar ?? .none }
    package var mayVote: Bool { self.bar == .none && self.votes?.retirement == nil }
    /// The last commit position known here, at most the tail; (0, 0) when there is none.
    package internal(set) var commit: Position
    /// The log's own state at the tail, in a log of its own; `nil` when the store has to be asked for it.
    package internal(set) var state: LogState?

    let configuration: LogConfiguration
    let files: LogFiles
    let lock: DirectoryLock
    let durableFile: DurableFile
}

/// The lock on a directory: released by ``LogWriter/close(now:)``, or with the last reference.
final class DirectoryLock: Sendable {
    private let held: Lock<(any HeldLock)?>
    init(_ lock: any HeldLock) { self.held = Lock(lock) }
    func release() { self.held.withLock { $0 = nil } }
}

/// Opens and forms logs.
package enum LogDirectory {
    /// Locks the directory, checks whose it is, counts the start and recovers the log.
    ///
    /// - Parameters:
    ///   - newLife: Drawn for this start.
    ///   - newIncarnation: Drawn for a directory that has none yet.
    /// - Returns: A blank directory has neither writer nor store: see ``OpenedLog/form(cluster:founding:)``.
    /// - Throws: ``LogError/configuration(_:)``, ``LogError/locked(holder:)``, ``LogError/foreignDirectory(_:)``,
    ///   ``LogError/repairUnfinished``, ``LogError/restoreUnfinished``, ``LogError/sidecarDamaged(file:)``,
    ///   ``LogError/laterFormat(file:version:)``, ``LogError/damaged(_:)``, ``LogError/storage(_:)``,
    ///   ``LogError/noSpace``.
    /// - Complexity: O(segments), and reading the segment that is synced last and what follows it.
    package static func open(
        _ configuration: LogConfiguration, mode: LogMode, fileSystem: any FileSystem,
        newLife: () -> Life = { Life(UInt64.random(in: 1 ... .max)) }, newIncarnation: () -> Incarnation
    ) throws(LogError) -> OpenedLog {
        try configuration.validate()
        let files = LogFiles(fileSystem: fileSystem, directory: configuration.directory)
        try disk { () throws(DiskError) in try fileSystem.makeDirectory(configuration.directory) }
        let lock = try Self.lock(files)
        try Self.checkFinished(try files.list())
        var readings = try files.refuseLaterFormat()
        var identity = try Self.identity(files, configuration, mode, newIncarnation)
        if let segment = LogFiles.beginning(in: try files.list()) {
            try files.carryOutBeginning(segment, &identity)
            // Of files that are gone.
            readings = [:]
        }
        let names = try files.list()
        if mode == .standalone, Self.isOfNode(files, names) { throw .foreignDirectory(.clusterNode) }
        for name in names where LogFiles.isTemporary(name) { try files.remove(name) }
        identity.started(newLife())
        var report = RecoveryReport()
        report.starts = identity.starts
        do throws(LogError) {
            try files.replace(LogFiles.identity, with: identity.encoded())
        } catch {
            // A full disk must not keep a log from being read. In a cluster the count tells a restored directory from
            // the newest one, so there it has to be stored.
            guard error == .noSpace, mode == .standalone else { throw error }
            report.isStartUncounted = true
        }

        let votes = mode == .cluster ? try Self.votes(files) : nil
        if mode == .cluster || configuration.recovery == .tolerateDamage, !names.contains(LogFiles.durable),
            identity.cluster != nil
        {
            // Lost after it was made: as unreadable as one of which both slots are bad.
            try files.replace(LogFiles.durable, with: [UInt8](repeating: 0, count: DurableFile.byteCount))
        }
        var (durableFile, found) = try DurableFile.open(files)
        // A log that was formed was synced before its cluster stood in IDENTITY: what says otherwise says nothing.
        if identity.cluster != nil, found?.durable.position == .zero { found = nil }
        var opened = OpenedLog(
            identity: identity, votes: votes, starts: mode == .cluster ? try StartsFile(files) : nil, writer: nil,
            report: report, commit: .zero, configuration: configuration, files: files, lock: lock,
            durableFile: durableFile
        )
        guard let cluster = identity.cluster else {
            try Self.removeHalfFormed(files)
            return opened
        }
        if found == nil {
            guard mode == .cluster || configuration.recovery == .tolerateDamage else {
                throw .sidecarDamaged(file: LogFiles.durable)
            }
            // The tail is unknown: what is there may be short of what this node vouched for.
            try votes?.barUntilLevel()
        }
        try opened.barIfReceivedIsLost(found)
        try opened.recover(cluster: cluster, found: found, readings: readings)
        return opened
    }

    /// Refuses what a repair or a restore left half done.
    private static func checkFinished(_ names: [String]) throws(LogError) {
        guard !names.contains(RepairPlan.begunFileName) else { throw .repairUnfinished }
        guard !names.contains(LogFiles.restoring) || names.contains(LogFiles.identity) else { throw .restoreUnfinished }
    }

    /// Whether the log there has members besides this one, as far as it can be read. Changes nothing.
    package static func namesPeers(
        of node: NodeID, in directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem()
    ) -> Bool {
        let files = LogFiles(fileSystem: fileSystem, directory: directory)
        return files.lastMembership?.nodes.contains { $0 != node } ?? false
    }

    /// Whether a node of a cluster keeps its copy of a log here, also when it has lost its votes.
    private static func isOfNode(_ files: LogFiles, _ names: [String]) -> Bool {
        if names.contains(LogFiles.vote) { return true }
        let state = LogFiles.segments(in: names).lazy.compactMap { files.checkpointState(of: $0) }.first
        return state.map { !$0.membership.voters.isEmpty } ?? false
    }

    private static func lock(_ files: LogFiles) throws(LogError) -> DirectoryLock {
        let outcome = try disk { () throws(DiskError) in
            try files.fileSystem.lock(files.path(LogFiles.lock))
        }
        switch outcome {
        case .acquired(let lock): return DirectoryLock(lock)
        case .held(let holder): throw .locked(holder: holder)
        }
    }

    /// IDENTITY, made last of all sidecars: where it stands, the others stood.
    private static func identity(
        _ files: LogFiles, _ configuration: LogConfiguration, _ mode: LogMode, _ newIncarnation: () -> Incarnation
    ) throws(LogError) -> NodeIdentity {
        guard let bytes = try files.contents(LogFiles.identity, byteCountMax: NodeIdentity.byteCountMax) else {
            let names = try files.list()
            guard LogFiles.segments(in: names).isEmpty else { throw .foreignDirectory(.noIdentity) }
            if mode == .cluster { try files.replace(LogFiles.vote, with: VoteFile.blank()) }
            try files.replace(LogFiles.durable, with: DurableFile.blank())
            let identity = NodeIdentity(
                cluster: nil, node: configuration.node, incarnation: newIncarnation(), generation: 1, starts: 0)
            try files.replace(LogFiles.identity, with: identity.encoded())
            return identity
        }
        guard let identity = NodeIdentity(decoding: bytes) else { throw .sidecarDamaged(file: LogFiles.identity) }
        guard identity.node == configuration.node else {
            throw .foreignDirectory(.node(found: identity.node, expected: configuration.node))
        }
        if let found = identity.cluster, let expected = configuration.cluster, found != expected {
            throw .foreignDirectory(.cluster(found: found, expected: expected))
        }
        return identity
    }

    private static func votes(_ files: LogFiles) throws(LogError) -> VoteFile {
        if try files.contents(LogFiles.vote, byteCountMax: 1) == nil {
            // Lost after it was made: as unreadable as one of which both slots are bad.
            try files.replace(LogFiles.vote, with: [UInt8](repeating: 0, count: VoteFile.byteCount))
        }
        let votes = try VoteFile(try files.open(LogFiles.vote, .write))
        if votes.current == .unreadable { try votes.retire(.votesLost) }
        return votes
    }

    /// Segment 0 without a cluster in IDENTITY: forming was interrupted, and nobody was told of it.
    private static func removeHalfFormed(_ files: LogFiles) throws(LogError) {
        let segments = LogFiles.segments(in: try files.list())
        guard !segments.isEmpty else { return }
        guard try files.isHalfFormed(segments) else { throw .foreignDirectory(.noIdentity) }
        try files.remove(SegmentID.first.fileName)
    }
}

extension LogFiles {
    /// Whether the segments are what forming leaves when it is cut off: the first one, with no more than the founding
    /// checkpoint. More is somebody's log.
    func isHalfFormed(_ segments: [SegmentID]) throws(LogError) -> Bool {
        guard segments == [.first] else { return false }
        let limit = SegmentHeader.byteCount + FrameHeader.byteCount + LogState.encodedByteCountMax
        let bytes = try self.contents(SegmentID.first.fileName, byteCountMax: limit + 1) ?? []
        guard let header = try? SegmentHeader.decode(bytes.span.bytes), bytes.count <= limit else { return false }
        var chain = FrameChain(empty: header.cluster)
        var frameCount = 0
        let isWhole: ()? = try? chain.accept(range: bytes[...], at: .zero) { _, _, _ in frameCount += 1 }
        return isWhole != nil && frameCount <= 1
    }
}
