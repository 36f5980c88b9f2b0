import LogModel
import ReplicaCore
import SegmentLog
import Synchronization
import SystemPackage

/// What readers of a node's files have met since the core was last told.
final class FoundDamage: Sendable {
    private let damage = Mutex<[Damage]>([])
    func note(_ found: Damage) { self.damage.withLock { $0.append(found) } }

    @discardableResult
    func take() -> [Damage] {
        self.damage.withLock { damage in
            defer { damage = [] }
            return damage
        }
    }
}

/// Files that rot: bits flip, sectors become unreadable. The nodes find it, and make it good from each other's copies.
///
/// One node's files at a time, and only while every voter has its disk: with two damaged copies of three there may be
/// no good one left.
extension World {
    func beginDamage() {
        guard self.configuration.isRotting else { return }
        self.schedule(.damage, after: self.microseconds(50_000..<600_000))
        self.schedule(.scrub, after: self.microseconds(20_000..<100_000))
    }

    func damage() {
        guard !self.isHealing else { return }
        self.schedule(.damage, after: self.microseconds(30_000..<400_000))
        let candidates = self.members.filter { $0.isFounded && ($0.isRunning || !$0.hasLostPower) }
        let voterCount = self.oracle.membership?.voters.count ?? self.founders.count
        guard self.damaged == nil, self.isMembershipSettled, self.isPowerRestored, voterCount > 2, !candidates.isEmpty
        else { return }
        let node = candidates[Int(self.random.next(in: 0..<UInt64(candidates.count)))]
        let tail = node.isRunning ? node.tail : node.log.frames.last?.end ?? .zero
        guard tail.segment >= node.first else { return }
        for _ in 0..<self.random.next(in: 1..<4) {
            let segment = SegmentID(
                UInt32(self.random.next(in: UInt64(node.first.rawValue)..<UInt64(tail.segment.rawValue) + 1)))
            let path = SimulatedNode.directory.appending(segment.fileName)
            let end = segment == tail.segment ? Int(tail.offset) : node.disk.contents(of: path)?.count ?? 0
            guard end > 0 else { continue }
            let offset = Int(self.random.next(in: 0..<UInt64(end)))
            if self.chance(1, of: 4) {
                node.disk.breakSector(holding: offset, of: path)
            } else {
                node.disk.flip(bit: 8 * offset + Int(self.random.next(in: 0..<8)), of: path)
            }
            self.damaged = node.number
            self.report.damages += 1
        }
        if self.damaged != nil, self.configuration.faults.contains(.kills), node.isRunning, self.chance(1, of: 3) {
            self.crash(node, losesPower: false)
        }
    }

    /// Rereads all of the node's log, as its scrubber and its readers would.
    func scrub() throws(Violation) {
        self.schedule(.scrub, after: self.microseconds(10_000..<80_000))
        guard let number = self.damaged else { return }
        let node = self.nodes[number]
        guard node.isRunning, let store = node.store else { return }
        let isWhole = Self.readAll(store)
        try self.tellDamage(node)
        if isWhole, node.mayVote, node.damagedSegments.isEmpty { self.damaged = nil }
    }

    private static func readAll(_ store: LogStore) -> Bool {
        let tail = store.written.position
        var isWhole = store.damage.isEmpty
        for segment in store.segments {
            var from = Position(segment: segment.id, offset: 0)
            let end = min(tail, Position(segment: segment.id, offset: UInt32(segment.byteCount)))
            while from < end {
                guard let range = try? store.read(from: from, through: end, byteCountMax: 64 << 10),
                    !range.bytes.isEmpty
                else {
                    isWhole = false
                    break
                }
                from = range.end
            }
        }
        return isWhole
    }

    /// Told at a node's start, and whenever something was read.
    func tellDamage(_ node: SimulatedNode) throws(Violation) {
        guard let store = node.store else { return }
        let found = node.met.take()
        for damage in found.isEmpty ? store.damage : found {
            try self.step(node, .damageFound(in: damage.segment, end: damage.end))
        }
    }

    /// In the end everything is repaired, also in the segment that was written to.
    var isRepaired: Bool {
        guard let number = self.damaged else { return true }
        // Until all of it has been read again, what nobody has met yet is not repaired either.
        return !self.members.contains { $0.number == number }
    }

    // MARK: Repair

    func startFetchCopy(of segment: SegmentID, from peer: NodeID, by node: SimulatedNode) {
        self.schedule(
            .fetchCopy(segment, from: Int(peer.rawValue) - 1, node: node.number, life: node.life),
            after: self.microseconds(500..<60_000))
    }

    func fetchCopy(of segment: SegmentID, from number: Int, by node: SimulatedNode) throws(Violation) {
        let file = self.sealedFile(segment, of: number, for: node)
        let isDamaged = !self.isHealing && self.chance(1, of: 10)
        guard let file, let store = node.store else { return try self.step(node, .repairFailed(segment)) }
        do throws(LogError) {
            var copy = try SegmentReplacement(of: segment, in: store)
            do throws(LogError) {
                var bytes = try file.read(0..<file.byteCount)
                if isDamaged { bytes[bytes.startIndex + bytes.count / 2] ^= 1 }
                try copy.write(bytes)
                node.goodCopy = try copy.verified()
            } catch {
                copy.cancel()
                throw error
            }
        } catch {
            guard !node.disk.isStopped else { return self.crash(node, losesPower: true) }
            return try self.step(node, .repairFailed(segment))
        }
        try self.step(node, .copyFetched(segment))
    }

    func installCopy(of segment: SegmentID, _ node: SimulatedNode) throws(Violation) {
        guard let copy = node.goodCopy, let worker = node.worker else { return }
        node.goodCopy = nil
        let refusal: LogError?
        do throws(LogError) { refusal = try worker.install(copy) } catch { return self.diskFailed(node) }
        guard !node.disk.isStopped else { return self.diskFailed(node) }
        if refusal == nil { self.report.segmentsRepaired += 1 }
        let event: ReplicaEvent =
            refusal == nil
            ? .copyInstalled(segment, firstIndex: copy.firstIndex, byteCount: UInt32(copy.byteCount))
            : .repairFailed(segment)
        self.schedule(.deliver(event, node: node.number, life: node.life), after: self.microseconds(20..<400))
    }
}
