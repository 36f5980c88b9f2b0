import LogModel
import LogState
import SegmentFormat

/// One thing that an audit found: where, what, and how bad.
package struct AuditFinding: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable {
        /// Bytes that were once synced are not what was written, or a file that must be there is not.
        case damage
        /// Damage, or a tail that was never synced: without DURABLE nobody can tell.
        case unclear
        /// Behind what was synced: the next start cuts it, or a running node is writing there. Nobody was promised it.
        case tail
        /// A later release has written it: this one cannot read it, and nothing says that it is damaged.
        case laterFormat = "later_format"
        /// Nothing is wrong.
        case note
    }

    /// Its name in the directory.
    package var file: String
    /// Of the file; empty when it is about the file as a whole.
    package var range: Range<Int>
    package var fault: AuditFault
    package var severity: Severity
    /// Records that were there, as far as their neighbours tell.
    package var lostRecords: Range<LogIndex>?

    package init(
        _ file: String, _ range: Range<Int>, _ fault: AuditFault, _ severity: Severity,
        lostRecords: Range<LogIndex>? = nil
    ) {
        self.file = file
        self.range = range
        self.fault = fault
        self.severity = severity
        self.lostRecords = lostRecords
    }
}

package enum AuditFault: Hashable, Sendable {
    // The files beside the segments.
    case missing
    /// Neither of its copies, or its text, is what its checksum says.
    case unreadable
    /// One of two slots; the other one holds.
    case slot(Int)
    /// The disk refuses to read it.
    case refused(errno: Int32)
    /// Segments stand beside it.
    case namesNoCluster
    case leftover(AuditLeftover)

    // Segments.
    case frame(FrameDefect)
    /// The checksum is right, and yet it holds no records.
    case records(FormatError)
    /// The frame does not fit what the log knew before it; a checkpoint that says something else, for example.
    case state(LogStateError)
    /// Zeros where data was.
    case zeros
    /// The file ends too early.
    case short(expected: Int)
    /// The file goes on behind the end that its successor names.
    case excess(expected: Int)
    /// So many files before this one are not there, and none of them was ever synced.
    case unreachable(missing: Int)
    /// The log begins with this segment, and without DURABLE nobody can tell why.
    case beginning
    /// Below the first segment that DURABLE names: a trim that was not finished.
    case trimmed

    // A backup's manifest.
    /// It says that a segment begins with another record than the segment's header does.
    case misstated(SegmentID, manifest: LogIndex, files: LogIndex)
}

extension [AuditFinding] {
    /// The first segment that a later release has written, and its format's version.
    package var laterFormat: (file: String, version: UInt16)? {
        for finding in self where finding.severity == .laterFormat {
            if case .frame(let defect) = finding.fault, let version = defect.laterVersion {
                return (finding.file, version)
            }
        }
        return nil
    }
}

/// Files that are not part of the log.
package enum AuditLeftover: String, Hashable, Sendable {
    /// Prepared or half-made: the next start removes it.
    case temporary
    /// What a repair or a recovery set aside.
    case setAside
    case repairPlan
    case begunRepair
    /// The log is going to begin with it.
    case first
    case foreign
}
