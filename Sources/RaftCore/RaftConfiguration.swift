import LogModel

/// What a majority vouches for before a frame counts as committed.
package enum CommitRule: Hashable, Sendable {
    /// Synced to disk; for the policies `always` and `batch`.
    case persisted
    /// Received, perhaps not synced; for the policy `os`.
    case received
}

/// The bounds of the core, in one place.
package struct RaftLimits: Hashable, Sendable {
    /// Terms remembered with their first position; as many as a checkpoint holds.
    package var termCountMax = 64
    /// Linearizable reads that wait for a heartbeat round; more are refused.
    package var pendingReadCountMax = 65_536

    package init() {}
}

/// What a ``RaftCore`` is told once.
package struct RaftConfiguration: Hashable, Sendable {
    /// This node, in its present incarnation.
    package var member: Member
    package var heartbeatIntervalMilliseconds: UInt64
    /// The lower bound is also how long a leader that was heard counts as alive; a leader that has not
    /// heard from a quorum for the upper bound steps down.
    package var electionTimeoutMilliseconds: Range<UInt64>
    /// How much later each next voter asks for pre-votes once a leader's process is gone.
    package var rankDelayMilliseconds: UInt64
    /// When a failed round after a leader's death is tried again.
    package var fastRetryMilliseconds: Range<UInt64>
    package var commitRule: CommitRule
    package var limits: RaftLimits
    package var planted: PlantedBug?

    package init(
        member: Member,
        heartbeatIntervalMilliseconds: UInt64 = 50,
        electionTimeoutMilliseconds: Range<UInt64> = 300..<600,
        rankDelayMilliseconds: UInt64 = 5,
        fastRetryMilliseconds: Range<UInt64> = 20..<50,
        commitRule: CommitRule = .persisted,
        limits: RaftLimits = RaftLimits(),
        planted: PlantedBug? = nil
    ) {
        self.member = member
        self.heartbeatIntervalMilliseconds = heartbeatIntervalMilliseconds
        self.electionTimeoutMilliseconds = electionTimeoutMilliseconds
        self.rankDelayMilliseconds = rankDelayMilliseconds
        self.fastRetryMilliseconds = fastRetryMilliseconds
        self.commitRule = commitRule
        self.limits = limits
        self.planted = planted
    }
}

/// What must survive a crash before the messages that rest on it may leave (Raft Figure 2).
package struct HardState: Hashable, Sendable {
    package var term: Term
    /// Who got this node's vote in `term`.
    package var vote: Member?
    package init(term: Term, vote: Member?) {
        self.term = term
        self.vote = vote
    }
}

/// What a node knows about itself when it starts.
package struct RaftRecovered: Hashable, Sendable {
    package var hardState: HardState
    package var membership: Membership
    /// The last terms of the log, ascending.
    package var terms: [TermStart]
    package var tail: LogPoint
    /// The last commit known to be stored; 0:0 when none is.
    package var commit: Position
    package var right: VotingRight
    /// What it vouched for at most, where its log was lost; `nil` when nobody knows.
    package var vouched: LogPoint?
    package var isRetired: Bool

    package init(
        hardState: HardState, membership: Membership, terms: [TermStart], tail: LogPoint, commit: Position,
        right: VotingRight = .held, vouched: LogPoint? = nil, isRetired: Bool = false
    ) {
        self.hardState = hardState
        self.membership = membership
        self.terms = terms
        self.tail = tail
        self.commit = commit
        self.right = right
        self.vouched = vouched
        self.isRetired = isRetired
    }
}
