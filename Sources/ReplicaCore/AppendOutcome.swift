import LogModel
import RaftCore

/// Where an append stands, and what its acknowledgement vouches for.
package struct AppendOutcome: Hashable, Sendable {
    package var first: LogIndex
    package var last: LogIndex
    package var position: Position
    package var term: Term
    package var durability: Durability
    /// How many voters were known to vouch for it, and of how many, when it was acknowledged.
    package var nodes: Int
    package var voters: Int
    /// The producer had appended this before; nothing was appended again.
    package var isDuplicate: Bool

    package init(
        first: LogIndex, last: LogIndex, position: Position, term: Term, durability: Durability, nodes: Int = 0,
        voters: Int = 0, isDuplicate: Bool
    ) {
        self.first = first
        self.last = last
        self.position = position
        self.term = term
        self.durability = durability
        self.nodes = nodes
        self.voters = voters
        self.isDuplicate = isDuplicate
    }
}

extension AppendOutcome {
    /// - Parameter end: Of the frame.
    func vouched(by vouchers: Vouchers, through end: Position) -> AppendOutcome {
        var outcome = self
        outcome.nodes = vouchers.count(through: end)
        outcome.voters = vouchers.voterCount
        return outcome
    }
}

/// Whom an append waits for before it is acknowledged.
package enum AcknowledgedBy: Hashable, Sendable {
    /// A quorum: what a commit needs.
    case quorum
    /// Every voter, within this time of the append, and never longer than a commit may take; else the append fails with
    /// ``AppendFailure/notByAll(_:)``.
    case all(withinMilliseconds: UInt64)
}

/// Why an append was not acknowledged, by what the caller can do.
package enum AppendFailure: Error, Hashable, Sendable {
    /// Ask the leader. Not applied.
    case notLeader(leader: NodeID?)
    /// Too much waits for its commit already. Not applied.
    case busy
    /// The disk has no room for it. Not applied.
    case noSpace
    /// The frame does not fit into a segment. Not applied.
    case tooLarge(byteCount: Int, byteCountMax: Int)
    /// The log goes on elsewhere: look at what came meanwhile, and expect `next`. Not applied.
    case conditionFailed(next: LogIndex)
    /// A writer with this higher token is at work: stop, or take over with one that is higher still. Not applied.
    case fenced(token: UInt64)
    /// Delete a cursor first. Not applied.
    case tooManyCursors
    /// There is nothing to delete. Not applied.
    case noSuchCursor
    /// A sequence was left out; or a run begins before `expected`, and has to be sent again as single appends, some of which
    /// will be found to be there. Not applied.
    case producerGap(expected: UInt64)
    /// The producer is not known any more: whether this was applied once is unknown.
    case producerExpired
    /// It is committed; but not all voters were known to vouch for it in time, which was asked for.
    case notByAll(AppendOutcome)
    /// No quorum answered in time. May still be applied.
    case timedOut
    /// Another node leads now. May still be applied.
    case leadershipLost
    /// The node stops. May still be applied when it had been accepted.
    case shuttingDown(mayBeApplied: Bool)

    /// Whether the append may yet be in the log, or is.
    package var mayBeApplied: Bool {
        switch self {
        case .notLeader, .busy, .noSpace, .tooLarge, .producerGap, .conditionFailed, .fenced, .tooManyCursors,
            .noSuchCursor:
            false
        case .producerExpired, .timedOut, .leadershipLost, .notByAll: true
        case .shuttingDown(let mayBeApplied): mayBeApplied
        }
    }
}
