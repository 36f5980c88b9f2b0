import LogModel
import WireFormat

/// Consensus as a value: inputs in, effects out; no I/O, no clock, no randomness but the seed.
///
///                  no leader heard          quorum of pre-votes        quorum of votes
///     follower ----------------> preCandidate ------------> candidate ------------> leader
///        ^                            |                         |                      |
///        '----------------------------'-------------------------'----------------------'
///          a leader speaks; a higher term; a leader without quorum
///
/// It reasons about ends of frames, ``LogPoint``, and never sees a byte of them. It holds back what must wait for
/// a vote to be stored; the shell performs effects in order and never waits between `step` and queueing them.
/// After a step in debug builds every invariant is checked.
///
/// - SeeAlso: Ongaro & Ousterhout 2014; Ongaro's dissertation §6.4 (reads), §9.6 (pre-vote), §10.2.1 (own sync).
package struct RaftCore: ~Copyable {
    package let configuration: RaftConfiguration
    package internal(set) var membership: Membership
    package internal(set) var role: RaftRole = .follower
    package internal(set) var right: VotingRight
    /// Of a lost log: the last point that this node may have vouched for; `nil` when nobody knows.
    let vouched: LogPoint?
    /// Where the last frame ends that this node holds and cannot read; zero when it can read everything.
    package internal(set) var unreadable = Position.zero
    /// Neither votes nor campaigns, for good: see ``Retirement``.
    package internal(set) var isRetired: Bool
    package internal(set) var commit: Position
    /// How far the own disk has the log.
    package internal(set) var persisted: LogPoint

    // Term and vote.
    package internal(set) var hardState: HardState
    var persistedHardState: HardState
    var requestedHardState: HardState
    var held: [HeldMessage] = []

    // The log, and what this term's leader said of it.
    var history: TermHistory
    /// How far the leader's stream has delivered or confirmed the log; of this term, which has one leader only.
    var confirmed = LogPoint.zero
    var leaderCommit = Position.zero
    /// What of it came on the stream, and so after the leader knew how short this log is.
    var streamedCommit = Position.zero

    // Who leads, and who might.
    package internal(set) var leaderMember: Member?
    var leaderHeard: MonotonicTime?
    var electionDeadline: MonotonicTime
    /// While a dead leader is being replaced: rounds follow quickly until then.
    var fastUntil: MonotonicTime?
    var lostNode: NodeID?
    var grants: Set<Member> = []
    var refusals: Set<Member> = []

    /// Reads of this node's clients that the leader is asked about.
    var relay: ReadRelay

    // Of a leader only.
    var progress: [Member: Progress] = [:]
    var heartbeatDeadline = MonotonicTime.zero
    var reads = ReadRounds()
    var transfer: Transfer?

    var now: MonotonicTime
    var random: SplitMix64
    var effects: [RaftEffect] = []

    /// - Parameters:
    ///   - now: Any monotonic reading; the first election comes one random timeout later (at once for a lone voter).
    ///   - randomSeed: Differs between nodes, or their elections would collide.
    package init(
        configuration: RaftConfiguration, recovered: RaftRecovered, now: MonotonicTime, randomSeed: UInt64
    ) {
        precondition(!configuration.electionTimeoutMilliseconds.isEmpty, "no election timeout to choose from")
        precondition(!configuration.fastRetryMilliseconds.isEmpty, "no retry pause to choose from")
        precondition(
            configuration.heartbeatIntervalMilliseconds < configuration.electionTimeoutMilliseconds.lowerBound,
            "heartbeats must come faster than elections")
        var recovered = recovered
        if configuration.planted == .forgetVoteAtRestart { recovered.hardState.vote = nil }
        self.configuration = configuration
        self.membership = recovered.membership
        self.right = configuration.planted == .voteWithLostLog ? .held : recovered.right
        self.vouched = recovered.vouched
        self.isRetired = recovered.isRetired
        self.commit = recovered.commit
        self.persisted = recovered.tail
        // A frame of a later term proves that this node was in that term.
        self.hardState = recovered.hardState
        if recovered.tail.term > recovered.hardState.term {
            self.hardState = HardState(term: recovered.tail.term, vote: nil)
        }
        let stored = configuration.planted == .voteNotPersisted ? self.hardState : recovered.hardState
        self.persistedHardState = stored
        self.requestedHardState = stored
        self.history = TermHistory(
            starts: recovered.terms, tail: recovered.tail, countMax: configuration.limits.termCountMax)
        self.now = now
        self.random = SplitMix64(seed: randomSeed)
        var numbers = SplitMix64(seed: ~randomSeed)
        self.relay = ReadRelay(number: numbers.next())
        self.electionDeadline = now
        if !recovered.membership.hasQuorum({ $0 == configuration.member }) {
            self.electionDeadline = now.advanced(
                byMilliseconds: self.random.next(in: configuration.electionTimeoutMilliseconds))
        }
        self.validate()
    }

    package var term: Term { self.hardState.term }
    package var leader: NodeID? { self.leaderMember?.node }
    package var tail: LogPoint { self.history.tail }
    /// The last terms of the log, as far as the core remembers them.
    package var terms: [TermStart] { self.history.starts }
    /// Whether the term or vote is not stored yet. Own messages that rest on it are held; what the shell acknowledges
    /// as written or synced comes after it by the order of the disk's jobs.
    package var isVotePersistPending: Bool { self.hardState != self.persistedHardState }
    /// Whether linearizable reads can be answered: the leader has committed in its own term.
    package var hasCommittedInTerm: Bool {
        self.history.term(ofFrameEndingAt: self.commit) == self.term
    }
    /// When ``RaftInput/ticked`` is due.
    package var nextDeadline: MonotonicTime {
        guard self.role == .leader else {
            return self.relay.asked.isEmpty ? self.electionDeadline : min(self.relay.retryAt, self.electionDeadline)
        }
        let deadline = min(self.heartbeatDeadline, self.quorumDeadline)
        return self.transfer.map { min($0.deadline, deadline) } ?? deadline
    }

    /// Whether it may lead, and votes by its own log: not while that may be short of what it vouched for, nor while it
    /// cannot read what may not be committed yet.
    package var mayVote: Bool { self.right == .held && !self.isRetired && self.unreadable <= self.commit }

    /// How far a follower's log equals this leader's; `nil` unless this node leads and `member` is another member.
    package func matched(_ member: Member) -> (received: LogPoint, persisted: LogPoint)? {
        guard self.role == .leader else { return nil }
        return self.progress[member].map { ($0.received, $0.persisted) }
    }

    /// When a leader last heard of another member; `nil` as ``matched(_:)``.
    package func heard(_ member: Member) -> MonotonicTime? {
        self.role == .leader ? self.progress[member]?.heard : nil
    }

    /// Takes in what happened and says what to do.
    ///
    /// - Parameter now: Never earlier than before; an earlier one is taken for the latest.
    /// - Returns: Effects to perform in order.
    package mutating func step(_ input: RaftInput, now: MonotonicTime) -> [RaftEffect] {
        let before = self.marks
        self.now = max(self.now, now)
        switch input {
        case .ticked: self.ticked()
        case .received(let message, let from): self.received(message, from: from)
        case .leaderSpoke(let term, let leader): _ = self.heard(leader, in: term)
        case .higherTermSeen(let term): self.sawTerm(term)
        case .appended(let point, let newTerm): self.appended(through: point, newTerm: newTerm)
        case .accepted(let point, let newTerms, let leaderCommit):
            self.accepted(through: point, newTerms: newTerms, leaderCommit: leaderCommit)
        case .truncated(let point, let terms): self.truncated(to: point, terms: terms)
        case .persisted(let point): self.persisted(through: point)
        case .acknowledged(let member, let received, let persisted):
            self.acknowledged(by: member, received: received, persisted: persisted)
        case .returned(let member, let tail, let persisted): self.returned(member, tail: tail, persisted: persisted)
        case .unreadable(let through): self.became(unreadable: through)
        case .votePersisted(let state): self.votePersisted(state)
        case .leaderLost(let node): self.leaderLost(node)
        case .readAsked(let id): self.readAsked(id)
        case .transferAsked(let node): self.transferAsked(to: node)
        case .membershipChanged(let membership): self.membershipChanged(membership)
        case .resigned: if self.role == .leader { self.follow(nil, in: self.term) }
        case .retired: self.retired()
        }
        let effects = self.takeEffects()
        #if DEBUG
            self.validate()
            self.validate(since: before)
        #else
            _ = before
        #endif
        return effects
    }

    /// Whoever leads or campaigns does so no more.
    private mutating func retired() {
        self.isRetired = true
        self.follow(nil, in: self.term)
    }

    private mutating func ticked() {
        self.relayTicked()
        if self.role == .leader { self.leaderTicked() } else { self.electionTicked() }
    }

    /// Answers count only from members, in the incarnations that the membership names.
    private mutating func received(_ message: RaftMessage, from sender: Member) {
        guard sender != self.configuration.member else { return }
        switch message {
        case .voteRequest(let request) where request.candidate == sender: self.received(request)
        case .voteReply(let reply) where reply.voter == sender && self.membership.isVoter(sender): self.received(reply)
        case .heartbeat(let heartbeat) where heartbeat.leader == sender: self.received(heartbeat)
        case .heartbeatReply(let reply) where reply.follower == sender && self.membership.contains(sender):
            self.received(reply)
        case .transferRequest(let request) where request.leader == sender: self.received(request)
        case .readRequest(let request) where request.follower == sender && self.membership.contains(sender):
            self.received(request)
        case .readReply(let reply) where reply.leader == sender: self.received(reply)
        default: break
        }
    }
}
