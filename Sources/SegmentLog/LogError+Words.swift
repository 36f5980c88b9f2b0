import LogModel
import SegmentFormat
import SystemPackage

/// What happened, and whether anything was changed, for people.
extension LogError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .configuration(let mistake): "\(mistake); nothing was touched"
        case .locked(let holder): "the directory is open already, by \(holder); nothing was touched"
        case .foreignDirectory(let owner): "\(owner); nothing was touched"
        case .repairUnfinished:
            "a repair was begun and not finished: holdfast repair --apply goes on; nothing was touched"
        case .restoreUnfinished:
            "a backup was being restored here, and not all of it is there: holdfast backup restore begins anew; "
                + "nothing was touched"
        case .sidecarDamaged(let file): "\(file) cannot be read; nothing was changed"
        case .laterFormat(let file, let version):
            "\(file) has format version \(version), which this release does not know (it knows "
                + "\(SegmentHeader.version)): it is not damaged, and no segment was touched"
        case .damaged(let damage): "\(damage)"
        case .noSpace: "the disk is full; nothing was applied"
        case .tooLarge(let byteCount, let max):
            "\(byteCount) bytes are more than the \(max) of one batch; nothing was applied"
        case .tooManyRecords(let count, let max):
            "\(count) records are more than the \(max) of one batch; nothing was applied"
        case .noRecords: "an append needs at least one record; nothing was applied"
        case .overloaded(let waiting): "\(waiting) appends wait already; nothing was applied: try again later"
        case .rejected(let fault, let position):
            "the bytes do not continue the log at \(position): \(fault); nothing was applied"
        case .notTheTail(let tail): "the bytes belong elsewhere, the log ends at \(tail); nothing was applied"
        case .trimmed(let first): "removed by a trim: the log begins at \(first)"
        case .beyondTail(let tail): "behind the end of the log, which is \(tail)"
        case .notSealed(let segment): "segment \(segment.fileName) is not sealed and committed yet"
        case .noFrame(let position): "no frame begins at \(position)"
        case .committed(let position): "the log is committed through \(position); nothing was changed"
        case .storage(let failure): "\(failure)"
        case .failed: "a sync failed before: only opening the log again tells what is on disk"
        case .closed: "the log is closed"
        case .noThread: "the system has no thread left for the log"
        case .unsupportedCheckpoint(let segment):
            "this version cannot read the checkpoint of \(segment.fileName); nothing was changed"
        }
    }
}

extension ForeignDirectory: CustomStringConvertible {
    public var description: String {
        switch self {
        case .node(let found, let expected): "the directory belongs to node \(found), and this is node \(expected)"
        case .cluster(let found, let expected): "the directory belongs to cluster \(found), and not to \(expected)"
        case .noIdentity: "the directory holds segments and no IDENTITY: it is of another program, or half a log"
        case .clusterNode: "a node of a cluster keeps its copy of a log here, and only that node may write to it"
        }
    }
}

extension ConfigurationMistake: CustomStringConvertible {
    public var description: String {
        switch self {
        case .emptyDirectory: "no directory is named"
        case .nodeZero: "node 0: nodes are numbered from 1"
        case .segmentByteCountMax(let value, let allowed):
            "segments of \(value) bytes: \(allowed.lowerBound) to \(allowed.upperBound - 1) are allowed"
        case .openFilesMax(let value, let allowed):
            "\(value) open files: \(allowed.lowerBound) to \(allowed.upperBound) are allowed"
        case .batchWindow(let value, let allowed):
            "a batch window of \(value) ms: \(allowed.lowerBound) to \(allowed.upperBound) ms are allowed"
        case .compressionLevel(let value, let allowed):
            "compression level \(value): \(allowed.lowerBound) to \(allowed.upperBound) are allowed"
        case .scrubBytesPerSecond(let value): "scrubbing \(value) bytes a second: at least 0 are needed, 0 is never"
        case .negativeRetention: "retention below 0"
        }
    }
}

extension StorageFailure: CustomStringConvertible {
    public var description: String {
        "\(self.operation) of \(self.file) failed: \(Errno(rawValue: self.errno)) (errno \(self.errno))"
    }
}
