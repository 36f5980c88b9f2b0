import LogModel

/// What a node has to do now, in this order.
package enum RaftEffect: Hashable, Sendable {
    /// Store this and answer with ``RaftInput/votePersisted(_:)``. A later one supersedes it. Messages that
    /// rest on it are held back by the core; what the shell acknowledges as written or synced comes after it by
    /// the order of the disk's jobs.
    case persistVote(HardState)
    /// Heartbeats and their replies leave with clock zero; nobody reads it yet.
    case send(RaftMessage, to: Member)
    /// Append a term-start frame, without rotating (see `commonPoint`), and answer with
    /// ``RaftInput/appended(through:newTerm:)``.
    case becameLeader(Term)
    /// Also when only the term or the known leader changed.
    case becameFollower(term: Term, leader: NodeID?)
    case becameCandidate(Term)
    /// The log is whole again: the next start need not know that it was not.
    case regainedVote
    case committed(through: Position)
    /// What is committed through here was committed when the read was asked, or since; the own log is committed so far.
    case readReady(id: UInt64, commit: Position)
    /// Nobody to hand over to, or the target did not take over in time: this node leads on, if it led.
    case transferFailed
    /// No leader is known, or not any more; or too many wait.
    case readRefused(id: UInt64)
}

package enum RaftRole: String, Hashable, Sendable {
    case follower
    /// Asks whether an election could be won, without a new term.
    case preCandidate
    case candidate
    case leader
}
