import HTTP2Transport
import LogModel

/// Why an operation failed, by what the caller can do.
public enum ClientError: Error, Hashable, Sendable {
    /// A server answered with an error. An append was not applied.
    case refused(ProblemDocument)
    /// What was to be read is not kept any more; the log begins with `first` now.
    case trimmed(first: LogIndex)
    /// No server answered, or none knew a leader, until the time was up. An append was not applied.
    case unreachable(String)
    /// One side does not take the other's certificate, not both speak TLS, or the files for it cannot be used. An append was
    /// not applied.
    case untrusted(String)
    /// What answers is no client listener of a node: its peer port, or its admin port. An append was not applied.
    case noClientPort(String)
    /// An append was sent, and its fate is not known: it may be in the log or not.
    case outcomeUnknown(String)
    /// An append that was to be acknowledged by all voters is committed, and stays; not all were known to have it when
    /// the time was up.
    case notByAll(AppendReceipt)
    /// The client, session or appender was ended, or the caller's task cancelled, before anything was sent. An append was not
    /// applied.
    case ended(String)
    /// A server answered what this client does not understand.
    case badAnswer(String)
}

extension ClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let problem): "\(problem.code): \(problem.detail)"
        case .trimmed(let first): "TRIMMED: these records are gone; the first one kept is \(first)"
        case .unreachable(let reason): "no leader was reached: \(reason)"
        case .untrusted(let reason): "no secure connection: \(reason)"
        case .noClientPort(let what): "no client port: \(what)"
        case .outcomeUnknown(let reason): "the outcome is unknown: \(reason)"
        case .notByAll(let receipt):
            "the records are committed (\(receipt.first) to \(receipt.last)), "
                + "and \(receipt.nodes) of \(receipt.voters) voters are known to have them"
        case .ended(let reason): reason
        case .badAnswer(let what): "a server's answer is not understood: \(what)"
        }
    }
}

extension ClientError {
    /// Whether an append that failed so is in the log.
    public var applied: ProblemDocument.Applied {
        switch self {
        case .refused(let problem): problem.applied
        case .trimmed, .unreachable, .untrusted, .noClientPort, .ended: .no
        case .outcomeUnknown, .badAnswer: .unknown
        case .notByAll: .yes
        }
    }

    /// Whether it is about who asks, how, and where, and not about what: asking again changes nothing.
    var isDenial: Bool {
        switch self {
        case .untrusted, .noClientPort: true
        case .refused(let problem): [401, 403].contains(problem.status)
        default: false
        }
    }

    /// Of a request that was not answered, and may be sent again whatever became of it.
    init(_ error: HTTP2ClientError, at server: ServerAddress) {
        switch error {
        case .untrusted(_, let refusal): self = .untrusted("\(server): \(refusal)")
        case .http11Only: self = .noClientPort("\(server) speaks HTTP/1.1 only, as a node's admin port does")
        default: self = .unreachable("\(server): \(error)")
        }
    }

    /// Why there is no connection.
    init(connecting error: any Error, to server: ServerAddress) {
        if let error = error as? ClientError {
            self = error
            return
        }
        switch HTTP2ConnectFailure(error) {
        case .refused(let refusal): self = .untrusted("\(server): \(refusal)")
        case .network(let reason): self = .unreachable("\(server): no connection: \(reason)")
        }
    }

    /// What a server's problem says.
    init(_ problem: ProblemDocument) {
        if problem.code == "TRIMMED", let first = problem.firstIndex {
            self = .trimmed(first: LogIndex(first))
        } else {
            self = .refused(problem)
        }
    }
}
