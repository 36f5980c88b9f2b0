import LogModel
import WireFormat

/// Linearizable reads of a follower, which the leader confirms: one question at a time, for all who wait.
struct ReadRelay {
    /// Of the question under way; begins anywhere, since a late reply to an earlier life must answer nothing.
    var number: UInt64
    /// Whose question it is, and whose comes next.
    var asked: [UInt64] = []
    var waiting: [UInt64] = []
    /// Answered; the own log has to be committed so far.
    var answered: [(commit: Position, reads: [UInt64])] = []
    /// When the question is asked again, and when it is given up.
    var retryAt = MonotonicTime.zero
    var deadline = MonotonicTime.zero

    init(number: UInt64) {
        self.number = number
    }

    var count: Int { self.answered.reduce(self.asked.count + self.waiting.count) { $0 + $1.reads.count } }
}

/// ReadIndex from a follower (dissertation §6.4): the leader names a commit position that it has confirmed since it was
/// asked; the follower answers from its own log as soon as that is committed here too.
extension RaftCore {
    mutating func askLeader(for id: UInt64) {
        guard self.role == .follower, let leader = self.leaderMember,
            self.relay.count < self.configuration.limits.pendingReadCountMax
        else { return self.effects.append(.readRefused(id: id)) }
        self.relay.waiting.append(id)
        if self.relay.asked.isEmpty { self.askLeader(leader) }
    }

    private mutating func askLeader(_ leader: Member) {
        guard !self.relay.waiting.isEmpty else { return }
        self.relay.number &+= 1
        self.relay.asked = self.relay.waiting
        self.relay.waiting.removeAll()
        self.relay.deadline = self.now.advanced(
            byMilliseconds: self.configuration.electionTimeoutMilliseconds.upperBound)
        self.sendReadRequest(to: leader)
    }

    private mutating func sendReadRequest(to leader: Member) {
        self.relay.retryAt = self.now.advanced(byMilliseconds: self.configuration.heartbeatIntervalMilliseconds)
        let request = ReadIndexRequest(
            term: self.term, follower: self.configuration.member, number: self.relay.number)
        self.send(.readRequest(request), to: leader)
    }

    /// A question may be lost; a leader that never answers is not waited for.
    mutating func relayTicked() {
        guard !self.relay.asked.isEmpty, let leader = self.leaderMember else { return }
        if self.now >= self.relay.deadline {
            self.refuseRelayedReads()
        } else if self.now >= self.relay.retryAt {
            self.sendReadRequest(to: leader)
        }
    }

    mutating func received(_ request: ReadIndexRequest) {
        guard self.role == .leader, request.term == self.term,
            self.reads.count < self.configuration.limits.pendingReadCountMax
        else { return }
        self.reads.waiting.append(.follower(request.follower, number: request.number))
        self.answerReadsOrAsk()
    }

    mutating func received(_ reply: ReadIndexReply) {
        guard reply.term == self.term, self.leaderMember == reply.leader, reply.number == self.relay.number,
            !self.relay.asked.isEmpty
        else { return }
        self.relay.answered.append((reply.commit, self.relay.asked))
        self.relay.asked.removeAll()
        self.answerRelayedReads()
        self.askLeader(reply.leader)
    }

    mutating func answerRelayedReads() {
        while let oldest = self.relay.answered.first, oldest.commit <= self.commit {
            for id in oldest.reads { self.effects.append(.readReady(id: id, commit: oldest.commit)) }
            self.relay.answered.removeFirst()
        }
    }

    /// Whoever asked may ask again, or somebody else.
    mutating func refuseRelayedReads() {
        guard self.relay.count > 0 else { return }
        for id in self.relay.answered.flatMap(\.reads) + self.relay.asked + self.relay.waiting {
            self.effects.append(.readRefused(id: id))
        }
        // A late reply to the old question must not answer a new one.
        self.relay = ReadRelay(number: self.relay.number)
    }
}
