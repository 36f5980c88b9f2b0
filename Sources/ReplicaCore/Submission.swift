import LogModel
import LogState
import SegmentFormat

/// What must be true of the log for an append to be taken.
package struct AppendConditions: Hashable, Sendable {
    /// The index that its first record must take.
    package var expectedNext: LogIndex?
    /// Refused when the log has seen a higher one. A higher one raises the log's, in front of the records.
    package var fencingToken: UInt64?

    package init(expectedNext: LogIndex? = nil, fencingToken: UInt64? = nil) {
        self.expectedNext = expectedNext
        self.fencingToken = fencingToken
    }
}

/// What a client asks the log to take in: records, or a change of the log's own state.
package struct Submission: Sendable {
    package let draft: FrameDraft
    package let conditions: AppendConditions
    package let acknowledgedBy: AcknowledgedBy
    /// `nil` for records.
    package let change: StateChange?

    package init(
        _ draft: FrameDraft, conditions: AppendConditions = AppendConditions(),
        acknowledgedBy: AcknowledgedBy = .quorum
    ) {
        precondition(draft.kind == .records, "a \(draft.kind) frame is not for clients to send")
        self.draft = draft
        self.conditions = conditions
        self.acknowledgedBy = acknowledgedBy
        self.change = nil
    }

    package init(_ change: StateChange) {
        self.draft = change.draft
        self.conditions = AppendConditions()
        self.acknowledgedBy = .quorum
        self.change = change
    }
}
