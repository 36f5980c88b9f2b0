import HTTPTypes

/// What to do after an attempt to append: pure, so that every answer's meaning is tested.
package enum AppendVerdict: Hashable, Sendable {
    case acknowledged(AppendReceipt)
    /// Committed, and not by all: the same sequence may be asked again.
    case committed(AppendReceipt)
    /// Try again with the same sequence: at `leader` if it is named, at once or after a pause.
    case retry(mayBeApplied: Bool, leader: ServerAddress?, reason: String)
    /// Trying again would not help.
    case stop(ClientError)

    package init(status: HTTPResponse.Status, isDuplicate: Bool, body: some Sequence<UInt8>) {
        if status.kind == .successful {
            guard let receipt = AppendReceipt(json: body, isDuplicate: isDuplicate) else {
                // Acknowledged, but by words that are not understood: the same sequence may be asked again.
                self = .stop(.outcomeUnknown("the acknowledgement is not understood"))
                return
            }
            self = .acknowledged(receipt)
            return
        }
        guard let problem = ProblemDocument(json: body) else {
            // No node of ours answers so; something stands between.
            self = .retry(mayBeApplied: true, leader: nil, reason: "status \(status.code)")
            return
        }
        if problem.applied == .yes, let receipt = problem.receipt {
            self = .committed(receipt)
            return
        }
        let reason = "\(problem.code): \(problem.detail)"
        switch status {
        case .misdirectedRequest:
            self = .retry(mayBeApplied: false, leader: problem.leader.flatMap { ServerAddress($0) }, reason: reason)
        case .serviceUnavailable, .gatewayTimeout, .tooManyRequests:
            self = .retry(mayBeApplied: problem.applied == .unknown, leader: nil, reason: reason)
        default:
            self = .stop(problem.applied == .unknown ? .outcomeUnknown(reason) : .refused(problem))
        }
    }
}

/// Pauses between attempts: doubling, with a random part so that clients do not come back together.
struct Backoff {
    private var milliseconds = ClientLimits.backoffMilliseconds.lowerBound

    mutating func next() -> Duration {
        defer { self.milliseconds = min(self.milliseconds * 2, ClientLimits.backoffMilliseconds.upperBound) }
        return .milliseconds(UInt64.random(in: self.milliseconds / 2...self.milliseconds))
    }

    mutating func reset() { self.milliseconds = ClientLimits.backoffMilliseconds.lowerBound }
}
