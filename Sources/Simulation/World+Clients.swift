import LogModel
import ReplicaCore
import SegmentFormat

/// A producer that appends one value after the other, or several in one frame, and retries whatever is in doubt.
struct SimulatedClient {
    let producer: UInt64
    var sequence: UInt64 = 1
    /// How many appends are under way, all in one frame.
    var count: UInt64 = 1
    /// Those before it were in a frame with others once: they have one record each.
    var runEnd: UInt64 = 1
    /// A frame of several was found to repeat what is there: its appends are sent one by one.
    var isOneByOne = false
    var request: UInt64?
    var lastLeader: Int?
    /// Once faults have stopped: enough when it has come so far.
    var goal: UInt64?

    init(producer: UInt64) {
        self.producer = producer
    }
}

extension World {
    func clientActs(_ number: Int) throws(Violation) {
        let client = self.clients[number]
        guard client.request == nil, client.goal.map({ client.sequence < $0 }) ?? true else { return }
        let target = client.lastLeader ?? Int(self.random.next(in: 0..<UInt64(self.nodes.count)))
        let node = self.nodes[target]
        self.clients[number].count = self.runLength(of: client)
        guard node.isRunning, let draft = self.draft(of: self.clients[number]) else { return self.clientWaits(number) }
        let end = client.sequence + self.clients[number].count
        if end > client.sequence + 1 { self.clients[number].runEnd = max(client.runEnd, end) }
        self.lastRequest += 1
        let request = self.lastRequest
        self.clients[number].request = request
        self.schedule(.clientGivesUp(number, request: request), after: self.microseconds(300_000..<1_500_000))
        try self.step(node, .proposed([Proposal(id: request, Submission(draft))]))
    }

    /// Decided by the sequence alone, as the length of the records is.
    private func runLength(of client: SimulatedClient) -> UInt64 {
        guard self.configuration.isSendingRuns else { return 1 }
        guard client.sequence >= client.runEnd else { return client.isOneByOne ? 1 : client.runEnd - client.sequence }
        // No more than the log keeps results of, so that each can be asked for again.
        let length = ((client.sequence &* 2_654_435_761) >> 7) % 16 + 1
        return client.goal.map { min(length, $0 - client.sequence) } ?? length
    }

    private func draft(of client: SimulatedClient) -> FrameDraft? {
        guard client.sequence >= client.runEnd, client.count == 1 else { return self.run(of: client) }
        let append = ProducerSequence(producer: client.producer, sequence: client.sequence)
        let text = "producer \(client.producer) sequence \(client.sequence)"
        // The length depends on the sequence alone, so that a retry is the same frame.
        let padding = String(repeating: ".", count: Int((client.sequence &* 2_654_435_761) % 700))
        let count = 1 + Int(client.sequence % 3)
        let records = (0..<count).map { Record("\(text) \($0) \(padding)") }
        return try? FrameDraft.records(records, producer: append)
    }

    private func run(of client: SimulatedClient) -> FrameDraft? {
        let append = ProducerSequence(producer: client.producer, sequence: client.sequence)
        let records = (0..<client.count).map { number in
            Record("producer \(client.producer) sequence \(client.sequence + number)")
        }
        return try? FrameDraft.records(records, label: client.count == 1 ? .producer(append) : .run(from: append))
    }

    private func clientWaits(_ number: Int) {
        self.clients[number].lastLeader = nil
        self.schedule(.client(number), after: self.microseconds(2_000..<30_000))
    }

    func clientGivesUp(_ number: Int, request: UInt64) {
        guard self.clients[number].request == request else { return }
        self.clients[number].request = nil
        self.clientWaits(number)
    }

    func answered(_ id: UInt64, _ result: Result<AppendOutcome, AppendFailure>) throws(Violation) {
        if case .failure(.noSpace) = result { self.report.appendsWithoutRoom += 1 }
        guard let number = self.clients.firstIndex(where: { $0.request == id }) else {
            return try self.writerAnswered(id, result)
        }
        let client = self.clients[number]
        self.clients[number].request = nil
        switch result {
        case .success(let outcome):
            for place in 0..<client.count {
                let append = ProducerSequence(producer: client.producer, sequence: client.sequence + place)
                try self.oracle.acknowledged(append, at: outcome.first.advanced(by: place))
            }
            if outcome.isDuplicate { self.report.duplicatesAnswered += 1 }
            self.clients[number].sequence += client.count
            if self.clients[number].sequence >= client.runEnd { self.clients[number].isOneByOne = false }
            self.schedule(.client(number), after: self.microseconds(50..<20_000))
        case .failure(.producerGap(let expected)) where client.count > 1 && expected > client.sequence:
            self.report.runsTakenApart += 1
            self.clients[number].isOneByOne = true
            self.schedule(.client(number), after: self.microseconds(50..<20_000))
        case .failure(.producerGap), .failure(.producerExpired):
            throw Violation(
                invariant: .acknowledgedOnce,
                detail: "producer \(client.producer) is told that its sequence \(client.sequence) does not follow")
        case .failure(.notLeader(let leader)):
            self.clientWaits(number)
            self.clients[number].lastLeader = leader.map { Int($0.rawValue) - 1 }
        case .failure:
            self.clientWaits(number)
        }
    }

    // MARK: Linearizable reads

    func ask() throws(Violation) {
        self.schedule(.ask, after: self.microseconds(5_000..<60_000))
        let node = self.nodes[Int(self.random.next(in: 0..<UInt64(self.nodes.count)))]
        guard node.isRunning else { return }
        self.lastRequest += 1
        self.reads[self.lastRequest] = self.oracle.lastSeenIndex
        self.cursorReads[self.lastRequest] = self.oracle.writers.acknowledgedCursors
        try self.step(node, .readAsked(id: self.lastRequest))
    }

    // MARK: Handing over

    func handOver() throws(Violation) {
        guard !self.isHealing else { return }
        self.schedule(.handOver, after: self.microseconds(20_000..<1_500_000))
        guard let node = self.nodes.first(where: { $0.isRunning && $0.role == .leader }) else { return }
        let target = Int(self.random.next(in: 0..<UInt64(self.nodes.count)))
        self.lastRequest += 1
        self.handovers[self.lastRequest] = (node.number, node.life)
        // To somebody, which may be itself, or to whoever is furthest.
        let peer = self.chance(1, of: 2) ? self.nodes[target].member.node : nil
        try self.step(node, .transferAsked(id: self.lastRequest, to: peer))
    }

    func handedOver(_ id: UInt64, _ result: Result<NodeID, TransferFailure>) {
        self.handovers[id] = nil
        if case .success = result { self.report.handovers += 1 }
    }

    func readReady(_ id: UInt64, nextIndex: LogIndex) throws(Violation) {
        guard let seen = self.reads.removeValue(forKey: id) else { return }
        self.report.readsChecked += 1
        try self.oracle.read(before: nextIndex, seen: seen)
    }
}
