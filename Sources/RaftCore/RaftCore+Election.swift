import LogModel
import WireFormat

/// Elections (Raft §5.2, §5.4.1), preceded by pre-votes (dissertation §9.6).
extension RaftCore {
    /// The leader is heard: nobody needs an election for a while.
    mutating func restartElectionTimer() {
        self.electionDeadline = self.now.advanced(
            byMilliseconds: self.random.next(in: self.configuration.electionTimeoutMilliseconds))
    }

    private var isFast: Bool { self.fastUntil.map { self.now < $0 } ?? false }

    private mutating func fastRetryTime() -> MonotonicTime {
        self.now.advanced(byMilliseconds: self.random.next(in: self.configuration.fastRetryMilliseconds))
    }

    mutating func electionTicked() {
        if self.now >= self.electionDeadline { self.electionTimedOut() }
    }

    private mutating func electionTimedOut() {
        self.restartElectionTimer()
        if self.leaderMember != nil || self.role == .candidate { self.follow(nil, in: self.term) }
        guard self.mayCampaign else { return }
        if self.isFast { self.electionDeadline = self.fastRetryTime() }
        self.role = .preCandidate
        self.askForVotes(in: self.term.next, isPreVote: true)
        self.grants = [self.configuration.member]
        self.decideElection()
    }

    private mutating func askForVotes(in term: Term, isPreVote: Bool, isTransfer: Bool = false) {
        self.grants = []
        self.refusals = []
        for member in self.others where self.membership.isVoter(member) {
            let request = VoteRequest(
                term: term, candidate: self.configuration.member, last: self.tail, isPreVote: isPreVote,
                isTransfer: isTransfer)
            self.send(.voteRequest(request), to: member)
        }
    }

    /// A real candidacy. The requests wait for the own vote to be stored: a candidate that forgot its term would
    /// campaign in it again, with a shorter log, while grants for the longer one are still on their way.
    mutating func campaign(isTransfer: Bool = false) {
        self.restartElectionTimer()
        self.role = .candidate
        self.change(to: HardState(term: self.term.next, vote: self.configuration.member))
        self.effects.append(.becameCandidate(self.term))
        self.askForVotes(in: self.term, isPreVote: false, isTransfer: isTransfer)
        if !self.isVotePersistPending { self.countOwnVote() }
    }

    mutating func countOwnVote() {
        self.grants.insert(self.configuration.member)
        self.decideElection()
    }

    /// The leader's process is gone: do not wait for a timeout, but one after another, by rank.
    mutating func leaderLost(_ node: NodeID) {
        guard self.role == .follower, self.leaderMember?.node == node else { return }
        self.follow(nil, in: self.term)
        self.lostNode = node
        self.fastUntil = self.now.advanced(
            byMilliseconds: self.configuration.electionTimeoutMilliseconds.upperBound)
        let left = self.membership.voting.filter { $0.node != node }
        let rank = left.firstIndex(of: self.configuration.member) ?? left.count
        self.electionDeadline = self.now.advanced(
            byMilliseconds: UInt64(rank) * self.configuration.rankDelayMilliseconds)
        self.electionTicked()
    }

    // MARK: Asked for a vote

    /// Anybody may ask, and be given the vote: who votes is for the candidate to know, whose log is no shorter; this
    /// node's membership may be an older one (dissertation §4.2.3). The candidate counts only whom its own names.
    mutating func received(_ request: VoteRequest) {
        if !request.isPreVote { self.sawTerm(request.term) }
        let refusal = self.refusal(of: request)
        if refusal == nil, !request.isPreVote {
            self.change(to: HardState(term: self.term, vote: request.candidate))
            self.fastUntil = nil
            self.restartElectionTimer()
        } else if !request.isPreVote, self.role != .leader, self.isFast {
            // Its term has ended this node's own round.
            self.electionDeadline = min(self.electionDeadline, self.fastRetryTime())
        }
        self.reply(to: request, refusal: refusal)
    }

    private mutating func reply(to request: VoteRequest, refusal: VoteRefusal?) {
        let reply = VoteReply(
            // A granted pre-vote is for the term asked for, in which this node is not yet.
            term: refusal == nil && request.isPreVote ? request.term : self.term,
            voter: self.configuration.member, isGranted: refusal == nil, isPreVote: request.isPreVote,
            refusal: refusal)
        self.send(.voteReply(reply), to: request.candidate)
    }

    private func refusal(of request: VoteRequest) -> VoteRefusal? {
        if request.term < self.term { return .staleTerm }
        guard let own = self.electionPoint else { return .mayNotVote }
        if request.isPreVote, !request.isTransfer, self.hasLiveLeader { return .leaderAlive }
        if request.term == self.term {
            if self.leaderMember != nil { return .leaderAlive }
            if let vote = self.hardState.vote, vote != request.candidate { return .alreadyVoted }
        }
        if self.configuration.planted == .grantToShorterLog { return nil }
        return request.last < own ? .behind : nil
    }

    /// What a candidate must have; `nil` while nobody gets this node's vote.
    ///
    /// A node that lost a part of its log votes for whoever has all that it may have vouched for: the comparison is the
    /// one that it would have made with the log that it had.
    private var electionPoint: LogPoint? {
        guard !self.isRetired, self.unreadable <= self.commit else { return nil }
        switch self.right {
        case .held: return self.tail
        case .lostUntilLevel: return self.vouched.map { max($0, self.tail) }
        }
    }

    /// Heard within the shortest election timeout, or this node itself, whose quorum is checked.
    private var hasLiveLeader: Bool {
        if self.role == .leader { return true }
        guard self.leaderMember != nil, let heard = self.leaderHeard else { return false }
        return self.now.milliseconds(since: heard) < self.configuration.electionTimeoutMilliseconds.lowerBound
    }

    // MARK: Given a vote

    mutating func received(_ reply: VoteReply) {
        if !reply.isGranted || !reply.isPreVote, reply.term > self.term {
            self.sawTerm(reply.term)
            if self.isFast { self.electionDeadline = min(self.electionDeadline, self.fastRetryTime()) }
            return
        }
        guard self.role == (reply.isPreVote ? .preCandidate : .candidate) else { return }
        guard reply.isGranted else {
            self.refusals.insert(reply.voter)
            if self.isFast, self.isElectionHopeless {
                self.electionDeadline = min(self.electionDeadline, self.fastRetryTime())
            }
            return
        }
        let isStale = reply.term != (reply.isPreVote ? self.term.next : self.term)
        guard !isStale || self.configuration.planted == .countStaleVotes else { return }
        self.refusals.remove(reply.voter)
        self.grants.insert(reply.voter)
        self.decideElection()
    }

    /// Whether too few are left who could still say yes, the dead leader not among them.
    private var isElectionHopeless: Bool {
        !self.deciding.hasQuorum { !self.refusals.contains($0) && $0.node != self.lostNode }
    }

    private mutating func decideElection() {
        guard self.deciding.hasQuorum(self.grants.contains) else { return }
        if self.role == .preCandidate { self.campaign() } else { self.lead() }
    }
}
