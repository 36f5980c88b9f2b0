import LogModel
import LogState
import SegmentFormat
import SystemPackage

extension AuditFinding {
    /// `what: meaning`, for people.
    package var words: String {
        let lost =
            self.lostRecords.map {
                $0.lowerBound.rawValue + 1 == $0.upperBound.rawValue
                    ? "; record \($0.lowerBound) stood there"
                    : "; records \($0.lowerBound) to \($0.upperBound.rawValue - 1) stood there"
            } ?? ""
        switch self.severity {
        case .damage: return "\(self.fault.words)\(lost)"
        case .unclear where self.fault == .beginning: return "\(self.fault.words), which only DURABLE could tell"
        case .unclear:
            return "\(self.fault.words)\(lost): damage or a tail that was never synced, which only DURABLE could tell"
        case .tail: return "\(self.fault.words): behind what was synced, nobody was promised it"
        case .laterFormat: return "\(self.fault.words): not damage; the release that wrote it can read it"
        case .note: return self.fault.words
        }
    }
}

extension AuditFault {
    package var words: String {
        switch self {
        case .missing: "the file is missing"
        case .unreadable: "the file is not what its checksum says"
        case .slot(let number): "slot \(number) is not valid; the other one holds"
        case .refused(let errno): "it cannot be read: \(Errno(rawValue: errno)) (errno \(errno))"
        case .namesNoCluster: "it names no cluster, and yet there are segments"
        case .leftover(let leftover): leftover.words
        case .frame(let defect): defect.words
        case .records(let error): "the checksum is right, and yet these are not records (\(error.words))"
        case .state(.checkpointDiffers): "the checkpoint says something else than the frames before it"
        case .state(let error): "the frame does not fit what the log knew before it (\(error))"
        case .zeros: "zeros where there had been data"
        case .short(let expected): "the file ends before its \(expected) bytes"
        case .excess(let expected): "bytes behind the end, which is at \(expected)"
        case .beginning: "the log begins here: those before were trimmed, or are lost"
        case .unreachable(1): "the file before it is not there"
        case .unreachable(let missing): "the \(missing) files before it are not there"
        case .trimmed: "removed by a trim that was not finished; the next start removes the file"
        case .misstated(let segment, let manifest, let files):
            "says that \(segment.fileName) begins with record \(manifest); its header says \(files)"
        }
    }
}

extension AuditLeftover {
    var words: String {
        switch self {
        case .temporary: "prepared or half-made; the next start removes it"
        case .setAside: "set aside by a repair; the log does not use it"
        case .repairPlan: "a plan of holdfast repair"
        case .begunRepair:
            "a repair that was begun and not finished: nobody opens the log before holdfast repair --apply"
        case .first: "the log is to begin with it: the next start puts it there, and removes what is older"
        case .foreign: "not a file of this program"
        }
    }
}
