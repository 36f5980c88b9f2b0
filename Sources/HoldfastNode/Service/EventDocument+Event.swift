import HoldfastAdmin
import HoldfastClient
import LogModel
import RaftCore
import ReplicaCore
import Replicator

extension EventDocument {
    init(_ event: NodeEvent, of node: NodeID) {
        let (kind, text) = event.kind.words
        self.init(
            node: node.rawValue, number: event.number, time: RFC3339.text(event.time), kind: kind, text: text)
        switch event.kind {
        case .roleChanged(let role, let term, let leader):
            self.role = role.rawValue
            self.term = term.rawValue
            self.leader = leader?.rawValue
        case .rotated(let segment), .damageFound(let segment), .noted(.repaired(let segment)),
            .noted(.trimmed(let segment)), .noted(.endedDamaged(let segment)):
            self.segment = segment.rawValue
        case .peerConnected(let peer), .peerDisconnected(let peer), .peerDied(let peer),
            .noted(.followerLevel(let peer, _)), .noted(.streamRefused(let peer, _)),
            .noted(.refusedRange(let peer, _)), .noted(.laterFormat(let peer, _)), .noted(.retired(_, let peer)):
            self.peer = peer.rawValue
        case .transferred(.success(let leader)): self.leader = leader.rawValue
        default: break
        }
    }
}

extension NodeEvent.Kind {
    /// For programs in one word, and for people.
    fileprivate var words: (kind: String, text: String) {
        switch self {
        case .started(let tail, let mayVote):
            (
                "start",
                "took up its log, which ends at \(tail)" + (mayVote ? "" : "; it does not vote until it is whole")
            )
        case .roleChanged(let role, let term, let leader): ("role", Self.words(role, term, leader))
        case .rotated(let segment): ("rotation", "segment \(segment) began")
        case .damageFound(let segment): ("damage", "damage found in segment \(segment)")
        case .membershipChanged(let membership): ("membership", Self.words(membership))
        case .peerConnected(let peer): ("peer", "connected to node \(peer)")
        case .peerDisconnected(let peer): ("peer", "lost the connection to node \(peer)")
        case .peerDied(let peer): ("peer", "the process of node \(peer) is gone")
        case .diskFilled: ("disk", "no room for more of the log")
        case .diskHasRoom: ("disk", "there is room again")
        case .transferred(.success(let leader)): ("transfer", "leadership given to node \(leader)")
        case .transferred(.failure(let failure)): ("transfer", "leadership not given away: \(failure)")
        case .noted(let note): note.words
        }
    }

    private static func words(_ role: RaftRole, _ term: Term, _ leader: NodeID?) -> String {
        switch role {
        case .leader: "leads in term \(term)"
        case .candidate, .preCandidate: "asks for votes in term \(term)"
        case .follower: leader.map { "follows node \($0) in term \(term)" } ?? "follows nobody yet in term \(term)"
        }
    }

    private static func words(_ membership: Membership) -> String {
        func list(_ members: [Member]) -> String { members.map { "\($0.node)" }.joined(separator: ", ") }
        var text = "voters \(list(membership.voters))"
        if membership.isJoint { text += ", before \(list(membership.outgoing))" }
        if !membership.learners.isEmpty { text += "; learners \(list(membership.learners.map(\.member)))" }
        return text
    }
}

extension ReplicaNote {
    fileprivate var words: (kind: String, text: String) {
        switch self {
        case .truncated(let to, let from): ("truncation", "cut its log from \(from) back to \(to.position)")
        case .trimmed(let first): ("trim", "the log begins with segment \(first)")
        case .fellBehind(_, let first): ("behind", "lacks what the leader has trimmed before segment \(first)")
        case .endedDamaged(let segment): ("rotation", "segment \(segment) is ended early, to be repaired")
        case .repaired(let segment): ("repair", "segment \(segment) is whole again")
        case .regainedVote: ("vote", "the log is whole again: it votes")
        case .followerLevel(let peer, let position): ("level", "node \(peer) is level at \(position)")
        case .streamRefused(let peer, let refusal): ("refusal", "node \(peer) refuses the log: \(refusal)")
        case .refusedRange(let peer, let reason): ("refusal", "a range from node \(peer) is refused: \(reason)")
        case .laterFormat(let peer, let version):
            ("refusal", "node \(peer) ships segments of format version \(version): this release cannot read them")
        case .retired(let retirement, _): ("retirement", "neither votes nor counts any more: \(retirement.reason)")
        }
    }
}
