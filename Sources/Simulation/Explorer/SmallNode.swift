import LogModel
import RaftCore
import WireFormat

/// One node of a small world: the core that ships, a log of frames without bytes, and what a crash would leave of both.
///
/// A value that never changes once it is in the world: ``after(_:)`` makes the next one.
final class SmallNode {
    /// What tells one node from another, now and in all that may follow.
    struct Key: Hashable {
        var fingerprint: RaftFingerprint
        var disk: SmallDisk
        var log: SmallLog
        var promised: HardState
        var levelTerm: Term?
        var number: Int
    }

    let number: Int
    private(set) var core: RaftCore
    private(set) var log: SmallLog
    private(set) var disk: SmallDisk
    /// The term and vote that messages have vouched for.
    private(set) var promised: HardState
    /// The term whose leader has found this log to be the beginning of its own.
    private(set) var levelTerm: Term?

    // What the present step gives rise to.
    private var sent: [SmallMessage] = []
    private var facts: [SmallFact] = []

    init(number: Int, of count: Int, log: SmallLog, hardState: HardState, planted: PlantedBug?) {
        self.number = number
        self.log = log
        self.disk = SmallDisk(log: log, hardState: hardState)
        self.promised = hardState
        self.core = RaftCore(
            configuration: Self.configuration(number, planted: planted),
            recovered: RaftRecovered(
                hardState: hardState, membership: Membership(voters: (0..<count).map(Self.member)), terms: log.terms,
                tail: log.tail, commit: .zero),
            now: .zero, randomSeed: 0)
    }

    private init(copying other: SmallNode) {
        self.number = other.number
        self.core = RaftCore(copying: other.core)
        self.log = other.log
        self.disk = other.disk
        self.promised = other.promised
        self.levelTerm = other.levelTerm
    }

    static func member(_ number: Int) -> Member {
        Member(node: NodeID(UInt32(number + 1)), incarnation: Incarnation(UInt64(number + 1)))
    }

    /// Timers so long that none runs out by itself: the search says when.
    private static func configuration(_ number: Int, planted: PlantedBug?) -> RaftConfiguration {
        RaftConfiguration(
            member: Self.member(number), electionTimeoutMilliseconds: 3_600_000..<7_200_000, planted: planted)
    }

    var key: Key {
        Key(
            fingerprint: self.core.fingerprint, disk: self.disk, log: self.log, promised: self.promised,
            levelTerm: self.levelTerm, number: self.number)
    }

    var isLeader: Bool { self.core.role == .leader }

    // MARK: Steps

    /// The node after `input`, with what it sends and what the world should know.
    func after(_ input: SmallInput) -> SmallStep {
        let next = SmallNode(copying: self)
        next.take(input)
        defer { (next.sent, next.facts) = ([], []) }
        return SmallStep(node: next, sent: next.sent, facts: next.facts)
    }

    private func take(_ input: SmallInput) {
        let timeouts = self.core.configuration.electionTimeoutMilliseconds
        switch input {
        case .timedOut: self.step(.ticked, afterMilliseconds: timeouts.upperBound)
        case .pulsed: self.step(.ticked, afterMilliseconds: self.core.configuration.heartbeatIntervalMilliseconds)
        case .appended(let number): self.place(append: number)
        case .storedVote:
            guard let state = self.disk.storeVote() else { return }
            self.step(.votePersisted(state))
        case .synced:
            self.disk.sync(self.log)
            self.step(.persisted(through: self.log.tail))
            self.acknowledge()
        case .crashed(let crash): self.restart(after: crash)
        case .received(let message): self.receive(message)
        case .shipped(let leader): self.follow(leader)
        }
    }

    private func step(_ input: RaftInput, afterMilliseconds pause: UInt64 = 0) {
        for effect in self.core.step(input, now: self.core.time.advanced(byMilliseconds: pause)) {
            switch effect {
            case .persistVote(let state): self.disk.storing.append(state)
            case .send(let message, let member): self.send(message, to: member)
            case .becameLeader(let term):
                self.facts.append(.leads(term))
                self.place(append: 0)
            case .committed(let position): self.facts.append(.commits(position))
            case .becameFollower, .becameCandidate, .regainedVote, .readReady, .readRefused, .transferFailed: break
            }
        }
    }

    private func send(_ message: RaftMessage, to member: Member) {
        switch message {
        case .voteRequest(let request) where !request.isPreVote:
            self.promise(HardState(term: request.term, vote: request.candidate))
        case .voteReply(let reply) where reply.isGranted && !reply.isPreVote:
            self.promise(HardState(term: reply.term, vote: member))
        default: break
        }
        self.send(.raft(message), to: Int(member.node.rawValue) - 1)
    }

    private func send(_ payload: SmallMessage.Payload, to number: Int) {
        self.sent.append(SmallMessage(payload: payload, from: self.number, to: number))
    }

    private func promise(_ state: HardState) {
        if state.term == self.promised.term, let vote = self.promised.vote, vote != state.vote {
            self.facts.append(.breaks(.oneVotePerTerm, "node \(self.number + 1) votes twice in term \(state.term)"))
        }
        if state.term >= self.promised.term { self.promised = state }
    }

    private func place(append number: Int) {
        let isNewTerm = self.log.tail.term != self.core.term
        self.log.place(append: number, term: self.core.term, leader: self.number)
        self.step(.appended(through: self.log.tail, newTerm: isNewTerm ? self.log.terms.last : nil))
    }

    private func receive(_ message: SmallMessage) {
        let sender = Self.member(message.from)
        switch message.payload {
        case .raft(let body):
            // A leader's life is no reason to refuse: any leader may have been silent for long enough.
            var pause: UInt64 = 0
            if case .voteRequest(let request) = body, request.isPreVote, !self.isLeader {
                pause = self.core.configuration.electionTimeoutMilliseconds.lowerBound
            }
            self.step(.received(body, from: sender), afterMilliseconds: pause)
        case .acknowledged(let term, let point):
            guard self.isLeader, term == self.core.term else { return }
            self.step(.acknowledged(by: sender, received: point, persisted: point))
        case .refused(let term): self.step(.higherTermSeen(term))
        }
    }

    // MARK: A leader's stream

    /// A leader aligns this log with its own and ships the next frame, if there is one: a stream's greeting, and each
    /// of its ranges.
    private func follow(_ leader: SmallNode) {
        let term = leader.core.term
        self.step(.leaderSpoke(term: term, leader: Self.member(leader.number)))
        guard self.core.term == term, self.core.leaderMember == Self.member(leader.number) else {
            if self.core.term > term { self.send(.refused(self.core.term), to: leader.number) }
            return
        }
        let common = commonPoint(
            leaderTerms: leader.log.terms, leaderTail: leader.log.tail, followerTerms: self.log.terms,
            followerTail: self.log.tail,
            followerCommit: self.log.point(after: self.log.count(through: self.core.commit)))
        let count = self.log.count(through: common.position)
        guard self.log.point(after: count) == common else { return }
        guard common.position >= self.core.commit else {
            let detail = "node \(self.number + 1) is to cut at \(common) what it has committed"
            return self.facts.append(.breaks(.committedNeverChanges, detail))
        }
        if count < self.log.frames.count {
            self.log = self.log.prefix(count)
            self.step(.truncated(to: common))
        }
        var newTerms: [TermStart] = []
        if count < leader.log.frames.count {
            self.log.take(leader.log.frames[count])
            newTerms = self.log.terms.filter { $0.position >= common.position }
        }
        self.levelTerm = term
        self.step(.accepted(through: self.log.tail, newTerms: newTerms, leaderCommit: leader.core.commit))
        self.acknowledge()
    }

    private func acknowledge() {
        guard let leader = self.core.leaderMember, self.core.role == .follower, self.levelTerm == self.core.term else {
            return
        }
        let persisted = self.log.point(after: self.log.commonCount(with: self.disk.log))
        self.send(.acknowledged(self.core.term, persisted), to: Int(leader.node.rawValue) - 1)
    }

    // MARK: Crashes

    /// The process ends and starts again, with what the disk kept.
    private func restart(after crash: SmallCrash) {
        let commit = crash.isCommitKnown ? min(self.core.commit, crash.disk.log.tail.position) : .zero
        let stored = crash.disk.hardState
        self.log = crash.disk.log
        self.disk = crash.disk
        self.levelTerm = nil
        self.core = RaftCore(
            configuration: self.core.configuration,
            recovered: RaftRecovered(
                hardState: stored, membership: self.core.membership, terms: self.log.terms, tail: self.log.tail,
                commit: commit),
            now: self.core.time, randomSeed: 0)
        let isVoteForgotten = stored.term == self.promised.term && stored.vote != self.promised.vote
        if stored.term < self.promised.term || (isVoteForgotten && self.promised.vote != nil) {
            let detail = "node \(self.number + 1) has forgotten its vote of term \(self.promised.term)"
            self.facts.append(.breaks(.nothingGoesBack, detail))
        }
    }

    /// All that a crash may leave. How far the log was committed is stored behind the truncation before it.
    private(set) lazy var crashes = self.disk.afterCrash(of: self.log).flatMap { disk in
        let isTruncated = disk.log.commonCount(with: self.log) == disk.log.frames.count
        let ways = self.core.commit > .zero && isTruncated ? [false, true] : [false]
        return ways.map { SmallCrash(disk: disk, isCommitKnown: $0) }
    }
}
