import LogModel
import RaftCore
import WireFormat

/// A message on its way in a small world.
struct SmallMessage: Hashable {
    enum Payload: Hashable {
        case raft(RaftMessage)
        /// A follower's log equals the leader's of this term through the point, and is synced so far.
        case acknowledged(Term, LogPoint)
        /// A follower is in a later term than the leader that spoke to it.
        case refused(Term)
    }

    enum Kind: Hashable {
        case preVoteRequest, voteRequest, preVoteReply, voteReply, heartbeat, heartbeatReply, transferRequest
        case readRequest, readReply, acknowledgement, refusal
    }

    var payload: Payload
    var from: Int
    var to: Int

    var isVote: Bool {
        if case .raft(.voteReply(let reply)) = self.payload { reply.isGranted && !reply.isPreVote } else { false }
    }

    var kind: Kind {
        switch self.payload {
        case .raft(.voteRequest(let request)): request.isPreVote ? .preVoteRequest : .voteRequest
        case .raft(.voteReply(let reply)): reply.isPreVote ? .preVoteReply : .voteReply
        case .raft(.heartbeat): .heartbeat
        case .raft(.heartbeatReply): .heartbeatReply
        case .raft(.transferRequest): .transferRequest
        case .raft(.readRequest): .readRequest
        case .raft(.readReply): .readReply
        case .acknowledged: .acknowledgement
        case .refused: .refusal
        }
    }
}

extension SmallMessage: CustomStringConvertible {
    var description: String { "\(self.words) \(self.from + 1)->\(self.to + 1)" }

    private var words: String {
        switch self.payload {
        case .raft(.voteRequest(let request)):
            "\(request.isPreVote ? "pre-vote" : "vote") request t\(request.term) last \(request.last)"
        case .raft(.voteReply(let reply)):
            "\(reply.isPreVote ? "pre-vote" : "vote") \(reply.isGranted ? "granted" : "refused") t\(reply.term)"
        case .raft(.heartbeat(let heartbeat)): "heartbeat t\(heartbeat.term) commit \(heartbeat.commit)"
        case .raft(.heartbeatReply(let reply)): "heartbeat reply t\(reply.term)"
        case .raft(.transferRequest(let request)): "transfer request t\(request.term)"
        case .raft(.readRequest(let request)): "read request t\(request.term)"
        case .raft(.readReply(let reply)): "read reply t\(reply.term)"
        case .acknowledged(let term, let point): "ack t\(term) persisted \(point)"
        case .refused(let term): "refusal t\(term)"
        }
    }
}
