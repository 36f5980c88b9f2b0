import LogModel
import ReplicaCore
import SegmentLog

/// Leaders that trim, and nodes that find that what they need is gone.
extension World {
    // MARK: Trimming

    /// A leader is asked to trim: everything, or up to somewhere in between.
    func trim() throws(Violation) {
        guard !self.isHealing else { return }
        self.schedule(.trim, after: self.microseconds(20_000..<800_000))
        guard let node = self.nodes.first(where: { $0.isRunning && $0.role == .leader }) else { return }
        let last = self.oracle.lastSeenIndex.rawValue
        let index = LogIndex(self.chance(1, of: 2) ? last + 1 : self.random.next(in: 0..<last + 1))
        self.lastRequest += 1
        self.oracle.asksToTrim(before: index)
        try self.step(node, .trimAsked(id: self.lastRequest, before: index))
    }

    func trimmed(_ result: Result<TrimOutcome, TrimFailure>) throws(Violation) {
        guard case .success(let outcome) = result else { return }
        self.report.trims += 1
        try self.oracle.trimmed(to: outcome)
    }

    // MARK: Beginning anew

    func tellTrimmed(_ first: Position, on id: StreamID, from leader: SimulatedNode) {
        guard let index = self.network.index(id, leader: leader),
            case .trimmed(let copy) = Self.travelled(.trimmed(first: first))
        else { return }
        let upstream = self.network.streams[index].upstream
        self.deliverDown(.toldTrimmed(first: copy, on: upstream), id: id, from: leader)
    }

    func startFetch(_ segment: SegmentID, from leader: NodeID, by node: SimulatedNode) {
        self.schedule(
            .fetch(segment, from: Int(leader.rawValue) - 1, node: node.number, life: node.life),
            after: self.microseconds(500..<60_000))
    }

    /// The copy takes its time: both nodes, and the way between them, may be gone by then. Now and then it is damaged on
    /// its way.
    func fetch(_ segment: SegmentID, from number: Int, by node: SimulatedNode) throws(Violation) {
        let isDamaged = !self.isHealing && self.chance(1, of: 10)
        var event = ReplicaEvent.fetchFailed(segment)
        do throws(LogError) {
            if let file = self.sealedFile(segment, of: number, for: node),
                try node.takeCopy(of: file, isDamaged: isDamaged)
            {
                event = .fetched(segment)
            }
        } catch {
            guard !node.disk.isStopped else { return self.crash(node, losesPower: true) }
        }
        try self.step(node, event)
    }

    /// What a peer serves of a segment, as long as it is reached.
    func sealedFile(_ segment: SegmentID, of number: Int, for node: SimulatedNode) -> SegmentFile? {
        let source = self.nodes[number]
        guard self.network.reaches(node.number, number), self.network.reaches(number, node.number) else { return nil }
        return try? source.store?.sealedFile(segment, committedThrough: source.commit)
    }

    /// The log is given up; the node starts from the copy, as after a crash, and may meet another one meanwhile.
    func beginAnew(_ node: SimulatedNode) {
        do throws(LogError) { try node.giveUp() } catch { self.countFailure(of: node) }
        self.report.beginnings += 1
        self.crash(node, losesPower: node.disk.isStopped)
        if !self.isHealing, self.configuration.faults.contains(.powerCuts), self.chance(1, of: 3),
            self.mayLosePower(node)
        {
            self.crashSoon(node, within: 40)
        }
    }
}
