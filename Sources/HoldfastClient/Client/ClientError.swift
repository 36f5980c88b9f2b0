/// Why an operation failed, by what the caller can do.
public enum ClientError: Error, Hashable, Sendable {
    /// A server answered with an error. An append was not applied.
    case refused(ProblemDocument)
    /// No server answered, or none knew a leader, until the time was up. An append was not applied.
    case unreachable(String)
    /// An append was sent, and its fate is not known: it may be in the log or not.
    case outcomeUnknown(String)
    /// An append that was to be acknowledged by all voters is committed, and stays; not all were known to have it when
    /// the time was up.
    case notByAll(AppendReceipt)
    /// A server answered what this client does not understand.
    case badAnswer(String)
}

extension ClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let problem): "\(problem.code): \(problem.detail)"
        case .unreachable(let reason): "no leader was reached: \(reason)"
        case .outcomeUnknown(let reason): "the outcome is unknown: \(reason)"
        case .notByAll(let receipt):
            "the records are committed (\(receipt.first) to \(receipt.last)), "
                + "and \(receipt.nodes) of \(receipt.voters) voters are known to have them"
        case .badAnswer(let what): "a server's answer is not understood: \(what)"
        }
    }
}
