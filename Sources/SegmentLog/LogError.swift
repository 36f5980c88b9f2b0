import DiskIO
import LogModel
import SegmentFormat

/// Everything the engine refuses, named by what the caller can do about it.
public enum LogError: Error, Hashable, Sendable {
    // Opening.
    /// Nothing was touched.
    case configuration(ConfigurationMistake)
    /// Another process, or another log of this one, has the directory open. Nothing was touched.
    case locked(holder: String)
    /// The directory belongs to somebody else. Nothing was touched.
    case foreignDirectory(ForeignDirectory)
    /// A repair was begun and not finished; nothing was touched. `holdfast repair --apply` goes on with it.
    case repairUnfinished
    /// A backup was being restored here, and not all of it is there; nothing was touched. Restoring it again begins anew.
    case restoreUnfinished
    /// IDENTITY or DURABLE cannot be read; nothing was changed.
    case sidecarDamaged(file: String)
    /// A later release has written the file, in a format that this one does not know: it is not damaged, and no segment
    /// was touched.
    case laterFormat(file: String, version: UInt16)
    /// Bytes that were once synced are not what was written. Nothing was cut; reads elsewhere go on.
    case damaged(Damage)

    // Appending. After each of these the log is as it was.
    /// The disk is full. May succeed after a trim.
    case noSpace
    /// The frame does not fit into a segment, or is above the format's limit.
    case tooLarge(byteCount: Int, max: Int)
    case tooManyRecords(count: Int, max: Int)
    /// An append needs at least one record.
    case noRecords
    /// So many appends wait already for the disk. Try again later.
    case overloaded(waiting: Int)
    /// Shipped bytes do not continue this log.
    case rejected(FrameFault, at: Position)
    /// Shipped bytes belong elsewhere.
    case notTheTail(tail: Position)

    // Reading, seeking, truncating, trimming.
    /// Removed by a trim; the log begins at `first`.
    case trimmed(first: Position)
    case beyondTail(tail: Position)
    /// The segment is still written to, or not wholly committed: it cannot be copied yet.
    case notSealed(SegmentID)
    /// No frame begins there.
    case noFrame(at: Position)
    /// A truncation would remove what is committed. Nothing was changed.
    case committed(through: Position)

    // The disk.
    /// The call failed; what it was to change is as before, or the log is closed for good and says so next time.
    case storage(StorageFailure)
    /// A sync failed earlier: nobody knows what is on disk before recovery. Open the log again.
    case failed
    case closed
    /// The system has no thread left for the log.
    case noThread
    /// What the log's own checkpoint says cannot be read by this version; nothing was changed.
    case unsupportedCheckpoint(SegmentID)
}

/// Whose directory it is instead.
public enum ForeignDirectory: Hashable, Sendable {
    case node(found: NodeID, expected: NodeID)
    case cluster(found: ClusterID, expected: ClusterID)
    /// Segments, but no IDENTITY: not a directory of this engine, or half of one.
    case noIdentity
    /// A node of a cluster stores its copy of a log here; only that node may write to it.
    case clusterNode
}

/// Which call the disk refused.
public struct StorageFailure: Hashable, Sendable {
    public var errno: Int32
    public var operation: String
    public var file: String
}

/// What is wrong with a frame or a segment header.
public struct FrameFault: Hashable, Sendable, CustomStringConvertible {
    package let defect: FrameDefect
    package init(_ defect: FrameDefect) { self.defect = defect }
    public var description: String { self.defect.words }
}

/// A range that does not hold what was once synced there.
public struct Damage: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// The file is not there.
        case missing
        /// The file is shorter or longer than its successor's header says.
        case wrongLength(expected: Int, found: Int)
        /// Zeros, or the end of the file, where data was.
        case lost
        /// The disk refuses to deliver the bytes.
        case unreadable(StorageFailure)
        case fault(FrameFault)
    }

    public var segment: SegmentID
    /// Offsets; the first damaged byte is within the frame or header that begins at the lower bound.
    public var range: Range<Int>
    public var kind: Kind

    package init(_ segment: SegmentID, _ range: Range<Int>, _ kind: Kind) {
        self.segment = segment
        self.range = range
        self.kind = kind
    }

    public var description: String { "\(self.summary); nothing was cut" }

    package var end: Position {
        Position(segment: self.segment, offset: UInt32(clamping: self.range.upperBound))
    }

    /// Where and what, without what was done about it.
    package var summary: String {
        let what =
            switch self.kind {
            case .missing: "the file is missing"
            case .wrongLength(let expected, let found): "\(found) bytes long instead of \(expected)"
            case .lost: "no data where synced data was"
            case .unreadable(let failure): "\(failure)"
            case .fault(let fault): "\(fault)"
            }
        return "segment \(self.segment.fileName) is damaged in bytes \(self.range): \(what)"
    }
}

extension StorageFailure {
    /// `nil` unless the disk refused to deliver bytes that are there.
    init?(ofUnreadable error: DiskError) {
        guard error.errno == .ioError, error.operation == .read else { return nil }
        self.init(error)
    }

    init(_ error: DiskError) {
        self.init(errno: error.errno.rawValue, operation: error.operation.rawValue, file: error.path)
    }
}

extension LogError {
    init(_ error: DiskError) {
        // A sync, or the cut before it, may find the disk full too, but what was written is not taken back then:
        // to those who wait for it, that is a failed sync and no refusal.
        if error.isNoSpace, ![.sync, .syncMapping, .syncDirectory, .truncate].contains(error.operation) {
            self = .noSpace
        } else {
            self = .storage(StorageFailure(error))
        }
    }

    init(_ error: FormatError) {
        switch error {
        case .frameTooLarge(let byteCount, let max): self = .tooLarge(byteCount: byteCount, max: max)
        case .tooManyRecords(let count, let max): self = .tooManyRecords(count: count, max: max)
        case .noRecords: self = .noRecords
        default: self = .rejected(FrameFault(.format(error)), at: .zero)
        }
    }
}

/// Translates the disk's refusals at the boundary of this module.
func disk<Result>(_ body: () throws(DiskError) -> Result) throws(LogError) -> Result {
    do throws(DiskError) {
        return try body()
    } catch {
        throw LogError(error)
    }
}
