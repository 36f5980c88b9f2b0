import LogModel
import LogState
import SegmentFormat

/// What an audit found out about a directory.
package struct AuditReport: Sendable {
    package struct Segment: Hashable, Sendable {
        package enum Condition: String, Hashable, Sendable {
            case good
            /// Being written, or the last one that was.
            case active
            case damaged
            /// Nothing in it was synced.
            case tail = "unsynced"
            case missing
            /// A later release has written it.
            case laterFormat = "later format"
            /// Below the first segment of the log.
            case trimmed
        }

        package var id: SegmentID
        package var fileByteCount = 0
        /// Where its last whole frame ends.
        package var byteCount = 0
        package var frameCount = 0
        package var recordCount = 0
        package var firstIndex: LogIndex?
        package var nextIndex: LogIndex?
        package var condition: Condition
    }

    /// What DURABLE says.
    package struct Durable: Hashable, Sendable {
        package var point: LogPoint
        package var commit: Position
        package var first: SegmentID
        package var isClean: Bool
    }

    package var identity: NodeIdentity?
    /// A node of a cluster keeps its copy of a log here.
    package var isCluster = false
    /// `nil` when it cannot be read.
    package var durable: Durable?
    /// What VOTE says; `nil` when it cannot be read, and where nobody votes.
    package var votes: VoteSlot?
    package var segments: [Segment] = []
    package var findings: [AuditFinding] = []
    package var cluster: ClusterID?
    /// Before the first damage, or the end of the log; `nil` when not even the first checkpoint is whole.
    package var soundChain: FrameChain?
    /// Who votes, as of the last frames that fit; `nil` when not even one checkpoint is whole.
    package var membership: Membership?
    /// Bytes that were read.
    package var byteCount = 0

    package init() {}

    package var isDamaged: Bool {
        self.findings.contains { $0.severity == .damage || $0.severity == .unclear }
    }

    /// Segments that must be other than they are.
    package var damagedSegments: [SegmentID] {
        let names = Set(self.findings.filter { $0.severity == .damage || $0.severity == .unclear }.map(\.file))
        return self.segments.map(\.id).filter { names.contains($0.fileName) }
    }
}
