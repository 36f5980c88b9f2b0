import LogModel
import ReplicaCore
import SegmentLog

/// Disks that are full, fail to sync or are slow, while all else at their nodes is well.
extension World {
    private static let retryMicroseconds: Range<UInt64> = 90_000..<110_000

    func beginDiskTrouble() {
        guard self.configuration.isTroublingDisks else { return }
        self.schedule(.troubleDisk, after: self.microseconds(50_000..<600_000))
    }

    func troubleDisk() {
        guard !self.isHealing else { return }
        self.schedule(.troubleDisk, after: self.microseconds(50_000..<900_000))
        let candidates = self.nodes.filter(\.isFounded)
        guard !candidates.isEmpty else { return }
        let node = candidates[Int(self.random.next(in: 0..<UInt64(candidates.count)))]
        let faults = self.configuration.faults
        switch self.random.next(in: 0..<4) {
        case 0, 1: if faults.contains(.fullDisks) { self.fill(node) }
        case 2: if faults.contains(.failedSyncs) { self.failSync(of: node) }
        default: if faults.contains(.slowness) { self.slowDisk(of: node) }
        }
    }

    // MARK: No room

    /// Somebody else's files take what there is, but for a few segments at most.
    private func fill(_ node: SimulatedNode) {
        let byteCountMax = UInt64(3 * self.configuration.segmentByteCountMax)
        node.disk.fill(leaving: Int(self.random.next(in: 0..<byteCountMax)))
        self.schedule(.makeRoom(node: node.number), after: self.microseconds(300_000..<4_000_000))
    }

    func makeRoom(_ node: SimulatedNode) { node.disk.setCapacity(byteCount: .max) }

    /// Makes the next segment ready, once for each that is active, as a running node does.
    func prepareNextSegment(_ node: SimulatedNode) {
        guard self.configuration.isTroublingDisks, node.isRunning, node.room.preparedAfter != node.tail.segment
        else { return }
        node.room.preparedAfter = node.tail.segment
        self.schedule(.prepare(node: node.number, life: node.life), after: self.diskPause(node))
    }

    func prepare(_ node: SimulatedNode) throws(Violation) {
        do throws(LogError) {
            try node.worker?.prepareNextSegment()
            node.room.isUnprepared = false
        } catch {
            guard error == .noSpace else { return self.diskFailed(node) }
            node.room.isUnprepared = true
            self.schedule(.prepare(node: node.number, life: node.life), after: self.roomPause())
        }
        try self.tellRoom(node)
    }

    /// Until what found no room is tried again.
    func roomPause() -> UInt64 { self.microseconds(Self.retryMicroseconds) }

    /// Tells the node when its disk has less room, or more again.
    func tellRoom(_ node: SimulatedNode) throws(Violation) {
        let (room, told) = (node.room.room, node.room.told)
        guard room != told else { return }
        node.room.told = room
        if told == .enough { self.report.disksFilled += 1 }
        try self.step(node, .diskRoom(room))
    }

    // MARK: Syncs

    /// The next sync fails, of a file, of DURABLE or of the directory; one of a node that is down, when it starts.
    private func failSync(of node: SimulatedNode) {
        switch self.random.next(in: 0..<4) {
        case 0: node.disk.inject(.refuse(.ioError), atNext: .syncMapping)
        case 1: node.disk.inject(.refuse(.ioError), atNext: .syncDirectory)
        default: node.disk.inject(.refuse(.ioError), atNext: .sync)
        }
    }

    private func slowDisk(of node: SimulatedNode) {
        node.isDiskSlow = true
        self.schedule(.hurryDisk(node: node.number), after: self.microseconds(100_000..<1_500_000))
    }
}
