import LogModel

/// Who must have an append before it is acknowledged.
public enum Acknowledgement: String, Hashable, Sendable, CaseIterable {
    /// A quorum: it survives the loss of any minority of the nodes.
    case quorum
    /// Every voter. One node that is down holds the acknowledgement up, and not the append.
    case all
}

/// What must be true of the log for an append to be taken.
public struct WriteConditions: Hashable, Sendable {
    /// The index that the first record must take: nothing was appended meanwhile.
    public var expectedNext: LogIndex?
    /// Refused when the log has seen a higher one; a higher one keeps all lower ones out from then on.
    public var fencingToken: UInt64?

    public init(expectedNext: LogIndex? = nil, fencingToken: UInt64? = nil) {
        self.expectedNext = expectedNext
        self.fencingToken = fencingToken
    }

    /// Whether a refusal speaks for earlier attempts, too. What was applied would have been found by its label; and the
    /// log neither comes back to an index that it has passed, nor lowers its token.
    func areBrokenForGood(by problem: ProblemDocument) -> Bool {
        switch problem.code {
        case "FENCED": true
        case "CONDITION_FAILED":
            if let expected = self.expectedNext, let next = problem.nextIndex {
                expected.rawValue < next
            } else {
                false
            }
        default: false
        }
    }
}
