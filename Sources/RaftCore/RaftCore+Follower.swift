import LogModel
import WireFormat

/// The follower: hears the leader, takes its frames, commits what the leader's stream has confirmed.
extension RaftCore {
    /// Any contact from the leader of a term that is not past (Raft §5.2), also of one that this node's membership
    /// does not name yet: a quorum that knew more has elected it.
    ///
    /// - Returns: `false` when the sender does not lead this term as far as this node knows.
    mutating func heard(_ leader: Member, in term: Term) -> Bool {
        guard term >= self.term, leader != self.configuration.member else { return false }
        if term == self.term {
            // A second leader of one term is a fault elsewhere: never followed.
            if self.role == .leader { return false }
            if let known = self.leaderMember, known != leader { return false }
        }
        self.follow(leader, in: term)
        self.leaderHeard = self.now
        self.fastUntil = nil
        self.lostNode = nil
        self.restartElectionTimer()
        return true
    }

    mutating func received(_ heartbeat: Heartbeat) {
        guard heartbeat.term >= self.term else {
            // Tells a leader of the past that it is one.
            self.reply(to: heartbeat)
            return
        }
        guard self.heard(heartbeat.leader, in: heartbeat.term) else { return }
        self.learned(leaderCommit: heartbeat.commit)
        self.reply(to: heartbeat)
    }

    private mutating func reply(to heartbeat: Heartbeat) {
        let reply = HeartbeatReply(
            term: self.term, follower: self.configuration.member, readRound: heartbeat.readRound, clock: .zero,
            unreadable: self.unreadable)
        self.send(.heartbeatReply(reply), to: heartbeat.leader)
    }

    mutating func accepted(through point: LogPoint, newTerms: [TermStart], leaderCommit: Position) {
        precondition(
            self.role == .follower && self.leaderMember != nil, "accepted through \(point) without a leader")
        precondition(point.term <= self.term, "accepted \(point) in term \(self.term)")
        if point.position > self.tail.position { self.history.append(newTerms, through: point) }
        precondition(self.history.contains(point), "accepted through \(point), which is not in this log")
        if point.position > self.confirmed.position { self.confirmed = point }
        self.streamedCommit = max(self.streamedCommit, leaderCommit)
        self.learned(leaderCommit: leaderCommit)
    }

    mutating func truncated(to point: LogPoint, terms: [TermStart]?) {
        precondition(self.role == .follower, "truncated to \(point) as \(self.role)")
        precondition(point.position >= self.commit, "truncated to \(point) below the commit \(self.commit)")
        self.history.truncate(to: point, terms: terms)
        if point.position < self.persisted.position { self.persisted = point }
        if point.position < self.confirmed.position { self.confirmed = point }
    }

    /// Commits at most through what this leader's stream has confirmed, whatever it is told: behind that, the own
    /// log may hold other frames than the leader committed.
    private mutating func learned(leaderCommit told: Position) {
        self.leaderCommit = max(self.leaderCommit, told)
        let confirmed = self.configuration.planted == .commitUnconfirmed ? self.tail : self.confirmed
        let commit = min(self.leaderCommit, confirmed.position)
        if commit > self.commit {
            self.commit = commit
            self.effects.append(.committed(through: commit))
            self.answerRelayedReads()
        }
        self.regainVote()
    }

    /// A node whose log may be short of what it vouched for votes again once it holds all that may have been committed
    /// with its help: what the current leader has committed through a frame of its own term.
    ///
    /// Only what the stream tells counts. A heartbeat may be from a time when the leader still counted on what this node
    /// has lost; the stream began with this node's tail (``returned(_:tail:persisted:)``).
    mutating func regainVote() {
        guard self.right == .lostUntilLevel, self.leaderMember != nil else { return }
        let told = self.streamedCommit
        guard told <= self.confirmed.position, told <= self.persisted.position,
            self.history.term(ofFrameEndingAt: told) == self.term
        else { return }
        self.right = .held
        self.effects.append(.regainedVote)
    }

    /// A leader that cannot read what is not committed yet lets somebody else lead.
    mutating func became(unreadable: Position) {
        self.unreadable = unreadable
        guard !self.mayVote, self.role != .follower else { return }
        self.follow(nil, in: self.term)
    }
}
