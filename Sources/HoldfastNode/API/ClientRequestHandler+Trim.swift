import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import ReplicaCore

extension ClientRequestHandler {
    func startTrim(_ trim: TrimRequest, on stream: HTTP2Stream) {
        self.run(on: stream) { [api] in
            await api.service.trim(before: trim.before)
        } then: { handler, stream, result in
            switch result {
            case .success(let outcome):
                let receipt = TrimReceipt(firstIndex: outcome.firstIndex, firstSegment: outcome.first)
                handler.answer(handler.api.head(.ok), ByteBuffer(bytes: receipt.json), on: stream)
            case .failure(.notLeader(let leader)): handler.passToLeader(leader, on: stream)
            case .failure(let failure): handler.answer(Problem(failure), on: stream)
            }
        }
    }
}

extension Problem {
    /// Of every trim whose outcome is not known.
    static let trimAgain = "Ask again: a trim that was done already is answered at once."

    init(_ failure: TrimFailure) {
        switch failure {
        case .notLeader(let leader): self.init(AppendFailure.notLeader(leader: leader))
        case .busy: self.init(AppendFailure.busy)
        case .timedOut:
            self.init(
                .gatewayTimeout, .commitTimeout, "no quorum acknowledged in time; it still may",
                hint: Self.trimAgain, applied: .unknown)
        case .leadershipLost:
            self.init(
                .gatewayTimeout, .leadershipLost, "this node stopped leading; this trim may be kept, or not",
                hint: Self.trimAgain, applied: .unknown)
        case .shuttingDown:
            self.init(
                .serviceUnavailable, .shuttingDown, "this node is stopping", hint: Self.trimAgain,
                applied: .unknown, fields: [.retryAfter: "1"])
        }
    }
}
