import LogModel
import WireFormat

/// Linearizable reads that wait for proof that this node still leads.
struct ReadRounds {
    /// The round that heartbeats carry now.
    var latest: UInt64 = 0
    /// Begun, oldest first.
    var rounds: [Round] = []
    /// Asked since the latest round began, or before anything of this term was committed.
    var waiting: [Reader] = []

    /// Who asked: a client of this node, or a follower for its own.
    enum Reader: Hashable {
        case own(UInt64)
        case follower(Member, number: UInt64)
    }

    struct Round {
        var number: UInt64
        /// When it began, so no less than what was acknowledged before its reads were asked.
        var commit: Position
        var reads: [Reader]
    }

    var count: Int { self.rounds.reduce(self.waiting.count) { $0 + $1.reads.count } }
}

/// ReadIndex (dissertation §6.4): the commit position at the start of a heartbeat round is safe to read once a quorum
/// has answered that round. One round serves all who asked before it began. No clock is trusted.
extension RaftCore {
    mutating func readAsked(_ id: UInt64) {
        guard self.role == .leader else { return self.askLeader(for: id) }
        guard self.reads.count < self.configuration.limits.pendingReadCountMax else {
            self.effects.append(.readRefused(id: id))
            return
        }
        self.reads.waiting.append(.own(id))
        self.answerReadsOrAsk()
    }

    /// Before its first commit a leader may not know how far its predecessor had committed.
    private var mayReadAtCommit: Bool {
        self.hasCommittedInTerm || self.configuration.planted == .readBeforeOwnCommit
    }

    /// Answers at once when this node is the whole quorum; else begins a round, unless one is under way.
    mutating func answerReadsOrAsk() {
        guard !self.reads.waiting.isEmpty, self.mayReadAtCommit else { return }
        if self.isQuorumAlone || self.configuration.planted == .readWithoutRound {
            let readers = self.reads.waiting
            self.reads.waiting.removeAll()
            self.answer(readers, commit: self.commit)
        } else if self.reads.rounds.isEmpty {
            self.sendHeartbeats()
        }
    }

    /// Every heartbeat takes along who waits, so that a lost one delays nobody for longer than an interval.
    mutating func beginReadRoundIfAsked() {
        guard !self.reads.waiting.isEmpty, self.mayReadAtCommit else { return }
        self.reads.latest += 1
        self.reads.rounds.append(
            ReadRounds.Round(number: self.reads.latest, commit: self.commit, reads: self.reads.waiting))
        self.reads.waiting.removeAll()
    }

    mutating func answered(round: UInt64, by member: Member) {
        guard let known = self.progress[member]?.readRound, round > known, round <= self.reads.latest else { return }
        self.progress[member]?.readRound = round
        let proven = self.deciding.quorumValue {
            $0 == self.configuration.member ? self.reads.latest : self.progress[$0]?.readRound ?? 0
        }
        guard let proven else { return }
        while let oldest = self.reads.rounds.first, oldest.number <= proven {
            self.reads.rounds.removeFirst()
            self.answer(oldest.reads, commit: oldest.commit)
        }
        self.answerReadsOrAsk()
    }

    private mutating func answer(_ readers: [ReadRounds.Reader], commit: Position) {
        for reader in readers {
            switch reader {
            case .own(let id): self.effects.append(.readReady(id: id, commit: commit))
            case .follower(let member, let number):
                let reply = ReadIndexReply(
                    term: self.term, leader: self.configuration.member, number: number, commit: commit)
                self.send(.readReply(reply), to: member)
            }
        }
    }

    /// Followers ask somebody else by themselves.
    mutating func refuseReads() {
        for case .own(let id) in self.reads.rounds.flatMap(\.reads) + self.reads.waiting {
            self.effects.append(.readRefused(id: id))
        }
        self.reads = ReadRounds()
    }
}
