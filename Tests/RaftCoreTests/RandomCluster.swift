import LogModel
import RaftCore

/// Three nodes under loss, reordering, duplication, cuts and crashes; checks what must hold after every step.
///
/// The `replicate` streams are made simpler than they are: each range stands alone, as in the paper.
final class RandomCluster {
    enum Payload {
        case message(RaftMessage)
        case range(term: Term, previous: LogPoint, frames: [TestNode.Frame], commit: Position)
        case refusal(term: Term, tail: LogPoint, terms: [TermStart], commit: LogPoint)
        case acknowledgement(term: Term, received: LogPoint, persisted: LogPoint)
    }

    struct Letter {
        var payload: Payload
        var from: Int
        var to: Int
    }

    static let lettersMax = 200

    let isHectic: Bool
    /// Every core is replaced by a copy of itself before each of its steps.
    private let isCopied: Bool
    var nodes: [TestNode] = []
    var random: SplitMix64
    var now = MonotonicTime.zero
    var letters: [Letter] = []
    /// Through where each node's log equals that of the leader of its term.
    var matched: [(term: Term, point: LogPoint)]
    /// Where each leader's next range for each node begins.
    var next: [Int: LogPoint] = [:]
    var cuts: Set<[Int]> = []
    var content = 0

    // What has happened, for the checks.
    var committed: [TestNode.Frame] = []
    var leaders: [Term: String] = [:]
    var reads: [UInt64: Position] = [:]
    var readCount = 0
    var violations: [String] = []

    init(seed: UInt64, planted: PlantedBug? = nil, count: Int = 3, isCopied: Bool = false) {
        self.random = SplitMix64(seed: seed)
        self.isCopied = isCopied
        self.isHectic = seed % 2 == 1
        self.matched = Array(repeating: (.zero, .zero), count: count)
        for id in 1...count {
            self.nodes.append(
                TestNode(
                    UInt32(id), membership: testMembership(count), seed: seed &* 31 &+ UInt64(id), planted: planted))
        }
    }

    func below(_ bound: Int) -> Int { Int(self.random.next(in: 0..<UInt64(bound))) }

    // MARK: What happens

    func run(steps: Int) {
        for _ in 0..<steps where self.violations.isEmpty { self.faultyStep() }
    }

    /// A hectic world has short terms, in which little is shipped; a calm one has more to lose.
    private func faultyStep() {
        let any = self.below(self.nodes.count)
        switch self.below(200) {
        case 0..<20: self.passTime(UInt64(self.below(self.isHectic ? 150 : 60)))
        case 20..<120: self.deliverOne(isFaulty: true)
        case 120..<150: self.storeVote(any)
        case 150..<165: self.sync(any)
        case 165..<172: self.append()
        case 172..<180: self.shipSome(through: 1)
        case 180: self.crash(any)
        case 181: self.cut(off: any)
        case 182..<185: self.read()
        default: if !self.isHectic { self.shipSome(through: 3) }
        }
    }

    /// Heals an earlier cut, or cuts one node off, both ways or one way.
    private func cut(off node: Int) {
        guard self.cuts.isEmpty else { return self.cuts = [] }
        let others = self.nodes.indices.filter { $0 != node }
        let ways = self.below(3)
        if ways != 0 { for other in others { self.cuts.insert([node, other]) } }
        if ways != 1 { for other in others { self.cuts.insert([other, node]) } }
    }

    /// No faults any more: within four seconds a leader emerges and all nodes become level.
    func heal() -> Bool {
        self.cuts = []
        for round in 0..<200 where self.violations.isEmpty {
            self.passTime(20)
            for index in self.nodes.indices {
                while !self.nodes[index].storing.isEmpty { self.storeVote(index) }
                if self.nodes[index].durableCount < self.nodes[index].frames.count { self.sync(index) }
            }
            if round == 150 { self.append() }
            if round % 8 == 0 { self.shipSome(through: 1000) }
            while !self.letters.isEmpty { self.deliverOne(isFaulty: false) }
        }
        let logs = Set(self.nodes.map(\.frames))
        let commits = Set(self.nodes.map { $0.core.commit })
        return self.nodes.contains { $0.core.role == .leader } && logs.count == 1 && commits.count == 1
            && self.committed.count == self.nodes[0].frames.count
    }

    private func passTime(_ count: UInt64) {
        self.now = self.now.advanced(byMilliseconds: count)
        for index in self.nodes.indices where self.nodes[index].core.nextDeadline <= self.now {
            self.step(index, .ticked)
        }
    }

    private func deliverOne(isFaulty: Bool) {
        guard !self.letters.isEmpty else { return }
        let index = isFaulty ? self.below(self.letters.count) : 0
        let fate = isFaulty ? self.below(10) : 9
        let letter = fate == 0 ? self.letters[index] : self.letters.remove(at: index)
        guard fate != 1, !self.cuts.contains([letter.from, letter.to]) else { return }
        self.receive(letter)
    }

    private func storeVote(_ index: Int) {
        guard !self.nodes[index].storing.isEmpty else { return }
        let state = self.nodes[index].storing.removeFirst()
        self.nodes[index].storedHardState = state
        self.step(index, .votePersisted(state))
    }

    /// The disk does its jobs in order: votes asked for earlier come first.
    private func sync(_ index: Int) {
        while !self.nodes[index].storing.isEmpty { self.storeVote(index) }
        self.nodes[index].durableCount = self.nodes[index].frames.count
        self.step(index, .persisted(through: self.nodes[index].tail))
        self.acknowledge(index)
    }

    private func append() {
        for index in self.nodes.indices where self.nodes[index].core.role == .leader { self.place(index) }
    }

    private func place(_ index: Int) {
        let node = self.nodes[index]
        self.content += 1
        let isNewTerm = node.tail.term != node.core.term
        let frame = TestNode.frame(after: node.frames, term: node.core.term, content: self.content)
        node.frames.append(frame)
        let start = TermStart(term: frame.term, firstIndex: .first, position: frame.start)
        self.step(index, .appended(through: node.tail, newTerm: isNewTerm ? start : nil))
    }

    private func shipSome(through countMax: Int) {
        for leader in self.nodes.indices where self.nodes[leader].core.role == .leader {
            let node = self.nodes[leader]
            for to in self.nodes.indices where to != leader {
                let previous = self.next[leader * 10 + to] ?? node.tail
                let begin = (node.frames.firstIndex { $0.end == previous.position } ?? -1) + 1
                let frames = Array(node.frames.dropFirst(begin).prefix(countMax))
                self.send(
                    .range(term: node.core.term, previous: previous, frames: frames, commit: node.core.commit),
                    from: leader, to: to)
                if let last = frames.last {
                    self.next[leader * 10 + to] = LogPoint(term: last.term, position: last.end)
                }
            }
        }
    }

    private func read() {
        let index = self.below(self.nodes.count)
        guard !self.isHectic || self.nodes[index].core.role == .leader else { return }
        self.readCount += 1
        self.reads[UInt64(self.readCount)] = self.committed.last?.end ?? .zero
        self.step(index, .readAsked(id: UInt64(self.readCount)))
    }

    private func crash(_ index: Int) {
        let node = self.nodes[index]
        // Votes may have reached the disk without the node having heard of it.
        let stored = self.below(node.storing.count + 1)
        if stored > 0 { node.storedHardState = node.storing[stored - 1] }
        let isVoteStored = stored == node.storing.count
        let undurable = node.frames.count - node.durableCount
        let known = node.frames.prefix(self.below(node.frames.count) + 1).last?.end ?? .zero
        let wasLeader = node.core.role == .leader
        node.crash(
            surviving: isVoteStored ? self.below(undurable + 1) : 0, commit: min(known, node.core.commit), now: self.now
        )
        self.matched[index] = (.zero, .zero)
        guard wasLeader, self.below(2) == 0 else { return }
        for other in self.nodes.indices where other != index { self.step(other, .leaderLost(node.member.node)) }
    }

    // MARK: Messages

    private func send(_ payload: Payload, from: Int, to: Int) {
        self.letters.append(Letter(payload: payload, from: from, to: to))
        if self.letters.count > Self.lettersMax { self.letters.removeFirst() }
    }

    private func receive(_ letter: Letter) {
        let index = letter.to
        let node = self.nodes[index]
        let sender = self.nodes[letter.from].member
        switch letter.payload {
        case .message(let message): self.step(index, .received(message, from: sender))
        case .range(let term, let previous, let frames, let commit):
            self.step(index, .leaderSpoke(term: term, leader: sender))
            guard node.core.term == term, node.core.leaderMember == sender else { return }
            self.follow(index, previous: previous, frames: frames, commit: commit, leader: letter.from)
        case .refusal(let term, let tail, let terms, let commit):
            guard node.core.role == .leader, node.core.term == term else { return }
            self.next[index * 10 + letter.from] = commonPoint(
                leaderTerms: node.terms, leaderTail: node.tail, followerTerms: terms, followerTail: tail,
                followerCommit: commit)
        case .acknowledgement(let term, let received, let persisted):
            guard node.core.term == term else { return self.step(index, .higherTermSeen(term)) }
            self.step(index, .acknowledged(by: sender, received: received, persisted: persisted))
        }
    }

    private func follow(
        _ index: Int, previous: LogPoint, frames: [TestNode.Frame], commit: Position, leader: Int
    ) {
        let node = self.nodes[index]
        let begin = node.frames.firstIndex { $0.end == previous.position && $0.term == previous.term }
        guard let begin else {
            let known = node.committedFrames.last.map { LogPoint(term: $0.term, position: $0.end) } ?? .zero
            let refusal = Payload.refusal(term: node.core.term, tail: node.tail, terms: node.terms, commit: known)
            return self.send(refusal, from: index, to: leader)
        }
        let equal = zip(node.frames.dropFirst(begin + 1), frames).prefix { $0 == $1 }.count
        let news = frames.dropFirst(equal)
        let kept = Array(node.frames.prefix(begin + 1 + equal))
        if !news.isEmpty, kept.count < node.frames.count {
            node.truncate(to: TestNode.tail(of: kept))
            self.step(index, .truncated(to: node.tail))
        }
        node.frames += news
        let through = frames.last.map { LogPoint(term: $0.term, position: $0.end) } ?? previous
        let newTerms = TestNode.terms(of: node.frames).filter { $0.position >= TestNode.tail(of: kept).position }
        self.step(index, .accepted(through: through, newTerms: newTerms, leaderCommit: commit))
        if self.matched[index].term != node.core.term || self.matched[index].point.position < through.position {
            self.matched[index] = (node.core.term, through)
        }
        self.acknowledge(index)
    }

    private func acknowledge(_ index: Int) {
        let node = self.nodes[index]
        guard self.matched[index].term == node.core.term, !node.core.isVotePersistPending,
            let leader = node.core.leader, leader != node.member.node
        else { return }
        let point = self.matched[index].point
        let persisted = node.durableTail.position < point.position ? node.durableTail : point
        self.send(
            .acknowledgement(term: node.core.term, received: point, persisted: persisted), from: index,
            to: Int(leader.rawValue) - 1)
    }

    // MARK: Steps and checks

    func step(_ index: Int, _ input: RaftInput) {
        let node = self.nodes[index]
        if self.isCopied { self.replaceByCopy(node) }
        var isElected = false
        for effect in node.core.step(input, now: self.now) {
            switch effect {
            case .send(let message, let to): self.send(.message(message), from: index, to: Int(to.node.rawValue) - 1)
            case .persistVote(let state): node.storing.append(state)
            case .becameLeader(let term):
                isElected = true
                self.check(leader: index, of: term)
            case .committed(let position): self.check(commit: position, of: index)
            case .readReady(let id, let commit):
                if commit < self.reads[id] ?? .zero { self.violations.append("a stale read at \(commit)") }
            case .becameFollower, .becameCandidate, .regainedVote, .readRefused, .transferFailed: break
            }
        }
        guard isElected, self.violations.isEmpty else { return }
        for other in self.nodes.indices { self.next[index * 10 + other] = nil }
        self.place(index)
    }

    private func replaceByCopy(_ node: TestNode) {
        let fingerprint = node.core.fingerprint
        node.core = RaftCore(copying: node.core)
        if node.core.fingerprint != fingerprint { self.violations.append("\(node.member.node) differs from its copy") }
    }

    private func check(leader index: Int, of term: Term) {
        let name = "\(index + 1), start \(self.nodes[index].starts)"
        if let other = self.leaders[term] { self.violations.append("\(other) and \(name) lead term \(term)") }
        self.leaders[term] = name
        if !self.nodes[index].frames.starts(with: self.committed) {
            self.violations.append("the leader of \(term), \(name), lacks committed frames")
        }
    }

    private func check(commit position: Position, of index: Int) {
        let frames = self.nodes[index].committedFrames
        if frames.last?.end != position { self.violations.append("\(index + 1) commits amid a frame at \(position)") }
        for (one, other) in zip(frames, self.committed) where one != other {
            self.violations.append("\(index + 1) commits \(one), \(other) is committed")
        }
        if frames.count > self.committed.count { self.committed = Array(frames) }
    }
}
