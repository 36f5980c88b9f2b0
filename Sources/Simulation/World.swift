import LogModel
import RaftCore
import ReplicaCore
import SegmentFormat
import SegmentLog
import WireFormat

/// All nodes, the network between them, their clients and their misfortunes, in one thread and one virtual time.
final class World {
    enum Event {
        case tick(node: Int, life: Int)
        case runDisk(node: Int, life: Int)
        case syncDisk(node: Int, life: Int)
        case deliver(ReplicaEvent, node: Int, life: Int)
        case reconnect
        case client(Int)
        case clientGivesUp(Int, request: UInt64)
        case writer(Int)
        case writerGivesUp(Int, request: UInt64)
        case ask
        case handOver
        case reconfigure
        case join
        case misfortune
        case heal(from: Int, to: Int)
        case hurry(node: Int)
        case restart(node: Int)
        case fall(node: Int, life: Int)
        case trim
        case fetch(SegmentID, from: Int, node: Int, life: Int)
        case damage
        case scrub
        case fetchCopy(SegmentID, from: Int, node: Int, life: Int)
        case prepare(node: Int, life: Int)
        case troubleDisk
        case makeRoom(node: Int)
        case hurryDisk(node: Int)
    }

    let configuration: SimulationConfiguration
    var random: SplitMix64
    var queue = EventQueue<Event>()
    var nodes: [SimulatedNode] = []
    var network: SimulatedNetwork
    var clients: [SimulatedClient] = []
    var writers: [SimulatedWriter] = []
    var oracle = Oracle()
    private(set) var founders: [Member] = []
    var report: SimulationReport
    var nanoseconds: UInt64 = 0
    var isHealing = false
    /// This run's leaders die young.
    var isChurning: Bool { self.configuration.isChurning }
    var lastRequest: UInt64 = 0
    /// Linearizable reads under way: what had been acknowledged when they were asked.
    var reads: [UInt64: LogIndex] = [:]
    /// The same reads, of cursors.
    var cursorReads: [UInt64: [CursorName: LogIndex]] = [:]
    /// The node whose files are damaged: one at a time, or there might be no good copy.
    var damaged: Int?
    /// Handovers under way, and the life of the node that was asked.
    var handovers: [UInt64: (node: Int, life: Int)] = [:]
    /// Where nodes lose power one by one: the last that did, or is about to, and the life that this ended.
    var powerless: (node: Int, life: Int)?

    init(_ configuration: SimulationConfiguration) {
        self.configuration = configuration
        self.random = SplitMix64(seed: configuration.seed)
        self.network = SimulatedNetwork(nodeCount: configuration.nodeCount + configuration.spareCount)
        self.report = SimulationReport(seed: configuration.seed)
        self.report.traceHash = 0xcbf2_9ce4_8422_2325
    }

    func time(of node: SimulatedNode) -> ReplicaTime {
        ReplicaTime(
            monotonic: MonotonicTime(nanoseconds: self.nanoseconds),
            wall: Timestamp(nanoseconds: 1_700_000_000_000_000_000 + self.nanoseconds + node.clockSkew))
    }

    // MARK: Chance

    func chance(_ part: UInt64, of whole: UInt64) -> Bool { self.random.next(in: 0..<whole) < part }

    func microseconds(_ range: Range<UInt64>) -> UInt64 { self.random.next(in: range) * 1_000 }

    func schedule(_ event: Event, after nanoseconds: UInt64) {
        self.queue.schedule(event, at: self.nanoseconds + nanoseconds)
    }

    // MARK: A run

    /// Founds the cluster and starts everything.
    func begin() throws(Violation) {
        for number in 0..<self.configuration.nodeCount + self.configuration.spareCount {
            self.nodes.append(
                SimulatedNode(number: number, configuration: self.configuration, random: &self.random))
        }
        self.founders = self.nodes.prefix(self.configuration.nodeCount).map(\.member)
        let founding = FoundingLog(members: self.founders)
        for node in self.nodes.prefix(self.configuration.nodeCount) {
            do { try node.found(founding, life: Life(self.random.next())) } catch {
                throw Violation(invariant: .recovers, detail: "node \(node.number) cannot be founded: \(error)")
            }
            try self.start(node)
        }
        for number in 0..<self.configuration.producerCount {
            self.clients.append(SimulatedClient(producer: UInt64(number + 1)))
            self.schedule(.client(number), after: self.microseconds(1_000..<50_000))
        }
        self.beginWriters()
        self.schedule(.reconnect, after: 0)
        self.schedule(.ask, after: self.microseconds(100_000..<500_000))
        if self.configuration.faults.contains(.transfers) {
            self.schedule(.handOver, after: self.microseconds(50_000..<900_000))
        }
        if self.configuration.faults.contains(.membership) {
            self.schedule(.reconfigure, after: self.microseconds(50_000..<900_000))
        }
        if self.configuration.faults.contains(.membership) || self.configuration.isRotting {
            self.schedule(.join, after: 0)
        }
        if self.configuration.faults.contains(.trims) {
            self.schedule(.trim, after: self.microseconds(50_000..<900_000))
        }
        self.beginDamage()
        self.beginDiskTrouble()
        if self.configuration.faults != [] { self.schedule(.misfortune, after: self.microseconds(1_000..<900_000)) }
    }

    func start(_ node: SimulatedNode) throws(Violation) {
        do throws(Violation) {
            try node.start(
                randomSeed: self.random.next(), now: self.time(of: node), committed: self.oracle.committed.map(\.frame))
        } catch {
            // A process that was refused something by its disk is started again, until it can start.
            guard node.disk.isStopped || (!node.disk.refused.isEmpty && error.invariant == .recovers) else {
                throw error
            }
            self.countFailure(of: node)
            return self.crash(node, losesPower: node.disk.isStopped)
        }
        if node.hasGivenUp { self.report.logsGivenUp += 1 }
        if !node.mayVote { self.report.startsBarred += 1 }
        self.schedule(.tick(node: node.number, life: node.life), after: self.microseconds(0..<5_000))
        self.prepareNextSegment(node)
        try self.tellDamage(node)
    }

    /// Takes the next event; `false` when the queue ran dry.
    func step() throws(Violation) -> Bool {
        guard let (time, event) = self.queue.next() else { return false }
        self.nanoseconds = time
        self.report.stepCount += 1
        self.trace(event)
        do { try self.handle(event) } catch {
            var violation = error
            violation.atStep = self.report.stepCount
            throw violation
        }
        return true
    }

    private func trace(_ event: Event) {
        let words: (UInt64, UInt64) =
            switch event {
            case .tick(let node, let life): (1, UInt64(node << 16 | life))
            case .runDisk(let node, let life): (2, UInt64(node << 16 | life))
            case .syncDisk(let node, let life): (3, UInt64(node << 16 | life))
            case .deliver(_, let node, let life): (4, UInt64(node << 16 | life))
            case .reconnect: (5, 0)
            case .client(let number): (6, UInt64(number))
            case .clientGivesUp(let number, _): (7, UInt64(number))
            case .ask: (8, 0)
            case .misfortune: (9, 0)
            case .heal(let from, let to): (10, UInt64(from << 8 | to))
            case .hurry(let node): (11, UInt64(node))
            case .restart(let node): (12, UInt64(node))
            case .fall(let node, let life): (13, UInt64(node << 16 | life))
            case .handOver: (14, 0)
            case .reconfigure: (15, 0)
            case .join: (16, 0)
            case .writer(let number): (17, UInt64(number))
            case .writerGivesUp(let number, _): (18, UInt64(number))
            case .trim: (19, 0)
            case .fetch(_, _, let node, let life): (20, UInt64(node << 16 | life))
            case .damage: (21, 0)
            case .scrub: (22, 0)
            case .fetchCopy(_, _, let node, let life): (23, UInt64(node << 16 | life))
            case .prepare(let node, let life): (24, UInt64(node << 16 | life))
            case .troubleDisk: (25, 0)
            case .makeRoom(let node): (26, UInt64(node))
            case .hurryDisk(let node): (27, UInt64(node))
            }
        self.mix(words.0)
        self.mix(words.1)
        self.mix(self.nanoseconds)
    }

    func mix(_ word: UInt64) {
        self.report.traceHash = (self.report.traceHash ^ word) &* 0x0000_0100_0000_01b3
        self.report.traceHash ^= self.report.traceHash >> 29
    }

    private func handle(_ event: Event) throws(Violation) {
        switch event {
        case .tick(let number, let life):
            guard let node = self.alive(number, life) else { return }
            let pace = node.isSlow ? self.microseconds(50_000..<400_000) : self.microseconds(4_000..<6_000)
            self.schedule(.tick(node: number, life: life), after: pace)
            try self.step(node, .ticked)
        case .deliver(let event, let number, let life):
            guard let node = self.alive(number, life) else { return }
            try self.step(node, event)
        case .runDisk(let number, let life):
            guard let node = self.alive(number, life) else { return }
            try self.runDisk(node)
        case .syncDisk(let number, let life):
            guard let node = self.alive(number, life) else { return }
            try self.syncDisk(node)
        case .reconnect: self.reconnect()
        case .client(let number): try self.clientActs(number)
        case .clientGivesUp(let number, let request): self.clientGivesUp(number, request: request)
        case .writer(let number): try self.writerActs(number)
        case .writerGivesUp(let number, let request): self.writerGivesUp(number, request: request)
        case .ask: try self.ask()
        case .handOver: try self.handOver()
        case .reconfigure: try self.reconfigure()
        case .join: try self.join()
        case .trim: try self.trim()
        case .fetch(let segment, let source, let number, let life):
            guard let node = self.alive(number, life) else { return }
            try self.fetch(segment, from: source, by: node)
        case .damage: self.damage()
        case .scrub: try self.scrub()
        case .fetchCopy(let segment, let source, let number, let life):
            guard let node = self.alive(number, life) else { return }
            try self.fetchCopy(of: segment, from: source, by: node)
        case .prepare(let number, let life):
            guard let node = self.alive(number, life) else { return }
            try self.prepare(node)
        case .troubleDisk: self.troubleDisk()
        case .makeRoom(let number): self.makeRoom(self.nodes[number])
        case .hurryDisk(let number): self.nodes[number].isDiskSlow = false
        case .misfortune: try self.misfortune()
        case .heal(let from, let to): self.heal(from: from, to: to)
        case .hurry(let number): self.nodes[number].isSlow = false
        case .fall(let number, let life): self.fall(number, life)
        case .restart(let number):
            let node = self.nodes[number]
            if node.isFounded, !node.isRunning { try self.start(node) }
        }
    }

    func alive(_ number: Int, _ life: Int) -> SimulatedNode? {
        let node = self.nodes[number]
        return node.isRunning && node.life == life ? node : nil
    }

    // MARK: A node's step

    func step(_ node: SimulatedNode, _ event: ReplicaEvent) throws(Violation) {
        for action in node.step(event, now: self.time(of: node)) { try self.perform(action, of: node) }
    }

    private func perform(_ action: ReplicaAction, of node: SimulatedNode) throws(Violation) {
        switch action {
        case .disk(let job): try self.enqueue(job, node)
        case .answer(let id, let result): try self.answered(id, result)
        case .send(let message, let member):
            if case .voteReply(let reply) = message { try self.oracle.voted(reply, for: member) }
            self.send(message, from: node, to: Int(member.node.rawValue) - 1)
        case .greet(let peer): self.greet(self.node(peer), from: node)
        case .refuse(let refusal, let member): self.refuse(self.node(member.node), refusal, from: node)
        case .openStream(let id, let peer, let hello):
            self.openStream(id, from: node, to: Int(peer.rawValue) - 1, hello)
        case .closeStream(let id, _): self.network.close(id, of: node)
        case .ship(let range, let id, _): self.ship(range, on: id, from: node)
        case .load(let peer, let stream, let from, let through, let byteCountMax):
            self.load(node, to: peer, stream: stream, from: from, through: through, byteCountMax: byteCountMax)
        case .welcome(let welcome, let id): self.answer(.welcome(welcome), on: id, from: node)
        case .acknowledge(let ack, let id):
            node.acknowledges(ack)
            self.answer(.ack(ack), on: id, from: node)
        case .closeUpstream(let id): self.closeUpstream(id, from: node)
        case .committed(let position, _):
            try self.oracle.committed(node.number, through: position, term: node.term, log: node.log)
            try node.committed(through: position)
            self.prepareNextSegment(node)
            self.temptAtCommit(node)
        case .readReady(let id, let nextIndex):
            try self.readReady(id, nextIndex: nextIndex)
            try self.cursorsRead(id, at: node)
        case .readRefused(let id):
            self.reads[id] = nil
            self.cursorReads[id] = nil
        case .transferred(let id, let result): self.handedOver(id, result)
        case .membershipAnswered(_, let result): if case .success = result { self.report.membershipChanges += 1 }
        case .trimmed(_, let result): try self.trimmed(result)
        case .tellTrimmed(let first, let id, _): self.tellTrimmed(first, on: id, from: node)
        case .fetch(let segment, let leader): self.startFetch(segment, from: leader, by: node)
        case .dropFetch: node.dropCopy()
        case .beginAnew: self.beginAnew(node)
        case .fetchCopy(let segment, let peer): self.startFetchCopy(of: segment, from: peer, by: node)
        case .installCopy(let segment): try self.installCopy(of: segment, node)
        case .roleChanged(let role, let term, _):
            self.mix(UInt64(role.rawValue.utf8.count) << 32 | term.rawValue)
            guard role == .leader else { return }
            try self.oracle.led(node.number, term: term, log: node.log)
            self.tempt(node)
        case .membershipChanged(let membership): self.temptAtChange(node, membership)
        case .note(.truncated): self.report.truncations += 1
        case .note(.retired(.directoryRestored, _)): try self.retired(node)
        case .note: break
        }
    }

    private func load(
        _ node: SimulatedNode, to peer: NodeID, stream: StreamID, from: Position, through: Position, byteCountMax: Int
    ) {
        let answer: ReplicaEvent
        if let range = try? node.store?.read(from: from, through: through, byteCountMax: byteCountMax) {
            answer = .loaded(bytes: range.bytes, from: range.position, to: peer, stream: stream)
        } else {
            answer = .loadFailed(to: peer, stream: stream)
        }
        self.schedule(.deliver(answer, node: node.number, life: node.life), after: self.microseconds(50..<3_000))
    }
}
