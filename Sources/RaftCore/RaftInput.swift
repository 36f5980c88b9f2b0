import LogModel
import WireFormat

/// What nodes of a cluster say to each other outside the `replicate` streams.
package enum RaftMessage: Hashable, Sendable {
    case voteRequest(VoteRequest)
    case voteReply(VoteReply)
    case heartbeat(Heartbeat)
    case heartbeatReply(HeartbeatReply)
    case transferRequest(TransferRequest)
    case readRequest(ReadIndexRequest)
    case readReply(ReadIndexReply)
}

extension RaftMessage {
    /// Whether a crash that forgot the term or the vote would make this message a lie.
    ///
    /// Pre-votes promise nothing and go at once.
    var restsOnHardState: Bool {
        switch self {
        case .voteRequest(let request): !request.isPreVote
        case .voteReply(let reply): !reply.isPreVote
        case .heartbeat, .heartbeatReply, .transferRequest, .readRequest, .readReply: true
        }
    }

    /// Whether this message makes `earlier`, to the same node, superfluous.
    func replaces(_ earlier: RaftMessage) -> Bool {
        switch (self, earlier) {
        case (.voteRequest, .voteRequest), (.voteReply, .voteReply), (.heartbeat, .heartbeat),
            (.heartbeatReply, .heartbeatReply), (.transferRequest, .transferRequest), (.readRequest, .readRequest),
            (.readReply, .readReply):
            true
        default: false
        }
    }
}

/// What happened to a node, in the order in which it happened.
package enum RaftInput: Hashable, Sendable {
    /// Time has passed; due at ``RaftCore/nextDeadline``, harmless at any time.
    case ticked
    case received(RaftMessage, from: Member)
    /// A hello or a range arrived on a leader's stream. Stale terms are ignored; the shell refuses them.
    case leaderSpoke(term: Term, leader: Member)
    /// A refusal named a term.
    case higherTermSeen(Term)
    /// Frames of this leader were placed. The first of a term is its term start and names it in `newTerm`.
    case appended(through: LogPoint, newTerm: TermStart?)
    /// Frames of the current leader's stream were placed, or found equal, through here; `newTerms` are the
    /// terms that begin in them. Follows the `leaderSpoke` of the same message.
    case accepted(through: LogPoint, newTerms: [TermStart], leaderCommit: Position)
    /// The log was cut back to an earlier end of a frame because the current leader's log differs behind it.
    /// `terms` are the log's last terms then.
    case truncated(to: LogPoint, terms: [TermStart]? = nil)
    /// The own disk has everything through here. A shell that has truncated since must drop the completions
    /// of syncs that began before.
    case persisted(through: LogPoint)
    /// What a follower says of its log, equal to the leader's through these points.
    case acknowledged(by: Member, received: LogPoint, persisted: LogPoint)
    /// A follower answered on a new stream, with the end of its log: what it said on earlier ones may be lost.
    case returned(Member, tail: LogPoint, persisted: LogPoint)
    /// What of the own log cannot be read ends here, zero for nothing: damage was found, or repaired.
    case unreadable(through: Position)
    /// The answer to ``RaftEffect/persistVote(_:)``.
    case votePersisted(HardState)
    /// The node's connection was reset and it refused another.
    case leaderLost(NodeID)
    /// A linearizable read, at the leader or a follower of one, waits for ``RaftEffect/readReady(id:commit:)``.
    case readAsked(id: UInt64)
    /// Leadership is to go to this node, or to the follower that is furthest. Ends with this node being no leader any
    /// more, or with ``RaftEffect/transferFailed``; the shell appends nothing meanwhile.
    case transferAsked(to: NodeID?)
    /// The newest membership in the log is this one, committed or not; comes before the append that brings it, and
    /// after the truncation that takes one back.
    case membershipChanged(Membership)
    /// A leader that is no voter any more has nobody to hand over to.
    case resigned
    /// This incarnation neither votes nor leads any more.
    case retired
}
