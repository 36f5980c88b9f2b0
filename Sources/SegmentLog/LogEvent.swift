import LogModel

/// Something worth knowing that happened in a log. Never holds a key or a value.
public struct LogEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case opened(RecoveryReport)
        /// A tail that was never synced is gone.
        case tailCut(RecoveryReport.Cut)
        /// One sync, shared by so many callers who waited for it.
        case synced(nanoseconds: UInt64, callers: Int)
        /// A reader, the scrubber or opening met bytes that are not what was written; reads of them are refused.
        case damageFound(Damage)
        /// A segment is full, and the next one was begun.
        case segmentRolled(SegmentID, byteCount: Int)
        /// The next segment could not be made ahead of time; the append that needs it will try again.
        case preparationRefused(LogError)
        /// Segments below `before` are gone.
        case trimmed(before: SegmentID, segments: Int, byteCount: Int)
        case truncated(to: Position)
        /// The log is closed to writers for good; only the next start knows what was kept.
        case failed(LogError)
        case closed
    }

    /// The node in whose directory it happened.
    public var node: NodeID
    public var kind: Kind
}
