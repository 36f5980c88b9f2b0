import LogModel
import WireFormat

/// What a leader knows of one follower in this term.
struct Progress {
    /// Ends of frames of the leader's log up to which the follower's log equals it.
    var received = LogPoint.zero
    var persisted = LogPoint.zero
    var heard: MonotonicTime
    /// The latest heartbeat round that the follower answered.
    var readRound: UInt64 = 0

    init(heard: MonotonicTime) {
        self.heard = heard
    }
}

/// The leader: heartbeats, the quorum's contact, the commit.
extension RaftCore {
    mutating func lead() {
        precondition(self.role == .candidate && !self.isVotePersistPending, "elected without a stored vote")
        self.role = .leader
        self.leaderMember = self.configuration.member
        self.leaderHeard = nil
        self.fastUntil = nil
        self.lostNode = nil
        self.grants = []
        self.refusals = []
        self.reads = ReadRounds()
        self.transfer = nil
        self.progress = [:]
        self.followMembers()
        self.effects.append(.becameLeader(self.term))
        self.sendHeartbeats()
    }

    mutating func leaveLeadership() {
        self.refuseReads()
        self.transfer = nil
        self.progress = [:]
        self.restartElectionTimer()
    }

    /// Check-quorum: a leader that nobody hears must not keep clients waiting (dissertation §6.2).
    mutating func leaderTicked() {
        if let transfer = self.transfer, self.now >= transfer.deadline { self.abandonTransfer() }
        if self.now >= self.quorumDeadline {
            self.follow(nil, in: self.term)
        } else if self.now >= self.heartbeatDeadline {
            self.sendHeartbeats()
        }
    }

    /// When the quorum will have been silent for the longest election timeout.
    var quorumDeadline: MonotonicTime {
        let heard = self.deciding.quorumValue {
            $0 == self.configuration.member ? self.now : self.progress[$0]?.heard ?? .zero
        }
        return (heard ?? self.now).advanced(
            byMilliseconds: self.configuration.electionTimeoutMilliseconds.upperBound)
    }

    mutating func sendHeartbeats() {
        self.beginReadRoundIfAsked()
        self.heartbeatDeadline = self.now.advanced(byMilliseconds: self.configuration.heartbeatIntervalMilliseconds)
        let commit = self.configuration.planted == .tellTailAsCommit ? self.tail.position : self.commit
        for member in self.others {
            let heartbeat = Heartbeat(
                term: self.term, leader: self.configuration.member, commit: commit,
                readRound: self.reads.latest, clock: .zero)
            self.send(.heartbeat(heartbeat), to: member)
        }
        // In case it was lost.
        if self.transfer?.isSent == true {
            self.transfer?.isSent = false
            self.sendTransferIfLevel()
        }
    }

    mutating func received(_ reply: HeartbeatReply) {
        self.sawTerm(reply.term)
        guard self.role == .leader, reply.term == self.term else { return }
        self.progress[reply.follower]?.heard = self.now
        self.answered(round: reply.readRound, by: reply.follower)
    }

    mutating func appended(through point: LogPoint, newTerm: TermStart?) {
        precondition(self.role == .leader, "appended through \(point) without leading")
        precondition(point.term == self.term, "appended through \(point) in term \(self.term)")
        self.history.append(newTerm.map { [$0] } ?? [], through: point)
        self.advanceCommit()
    }

    mutating func acknowledged(by member: Member, received: LogPoint, persisted: LogPoint) {
        guard self.role == .leader, var known = self.progress[member] else { return }
        known.heard = self.now
        // What is synced was received; a point of a log that was replaced since vouches for nothing.
        for point in [received, persisted] where self.history.contains(point) {
            if point.position > known.received.position { known.received = point }
        }
        if persisted.position > known.persisted.position, self.history.contains(persisted) {
            known.persisted = persisted
        }
        self.progress[member] = known
        self.advanceCommit()
        self.sendTransferIfLevel()
    }

    /// A follower whose log is shorter than what it acknowledged has lost the rest of it, and vouches for that no more.
    mutating func returned(_ member: Member, tail: LogPoint, persisted: LogPoint) {
        guard self.role == .leader, var known = self.progress[member] else { return }
        known.heard = self.now
        if tail.position < known.received.position { known.received = self.history.contains(tail) ? tail : .zero }
        if persisted.position < known.persisted.position {
            known.persisted = self.history.contains(persisted) ? persisted : .zero
        }
        if known.received.position < known.persisted.position { known.persisted = known.received }
        self.progress[member] = known
    }

    mutating func persisted(through point: LogPoint) {
        guard point.position > self.persisted.position, self.history.contains(point) else { return }
        self.persisted = point
        guard self.role == .leader else { return self.regainVote() }
        self.advanceCommit()
        self.sendTransferIfLevel()
    }

    /// Commits what a majority vouches for, if it ends with a frame of this term (Raft §5.4.2, Figure 8).
    ///
    /// A frame of an earlier term on a majority can still be replaced by a leader that never saw it; once a frame of
    /// this term stands behind it on a majority, no such leader can be elected.
    mutating func advanceCommit() {
        let agreed = self.deciding.quorumValue { self.vouchedPosition(of: $0) }
        guard let agreed, agreed > self.commit else { return }
        let isOwnTerm = self.history.term(ofFrameEndingAt: agreed) == self.term
        guard isOwnTerm || self.configuration.planted == .commitOldTermByCount else { return }
        self.commit = agreed
        self.effects.append(.committed(through: agreed))
        self.answerReadsOrAsk()
    }
}
