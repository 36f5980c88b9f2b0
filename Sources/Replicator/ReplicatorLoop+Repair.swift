import LogModel
import NIOCore
import ReplicaCore
import SegmentLog

/// Damage in this node's segments: noticed, and made good by copies from peers.
extension ReplicatorLoop {
    /// What whoever reads of damage is to do.
    static let damageHint =
        "keep the other nodes running: one that has a good copy mends it by itself; then look at this disk"

    private static let copyHint = "start every node that is down: one good copy is enough"

    /// What recovery found, and what readers and the scrubber meet from now on.
    func watchDamage() {
        self.tellDamage()
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let eventLoop = self.eventLoop
        self.store.damageFound = { damage in
            eventLoop.execute { bound.value.met(damage) }
        }
    }

    private func tellDamage() {
        for damage in self.store.damage {
            self.history.note(.damageFound(damage.segment))
            self.take(.damageFound(in: damage.segment, end: damage.end))
        }
    }

    private func met(_ damage: Damage) {
        self.counters.damageFound += 1
        self.history.note(.damageFound(damage.segment))
        self.logger.error(
            "damage found: reads of it are refused until a peer's copy has taken its place",
            metadata: ["damage": "\(damage)", "hint": "\(Self.damageHint)"])
        self.take(.damageFound(in: damage.segment, end: damage.end))
    }

    func fetchCopy(of segment: SegmentID, from node: NodeID) {
        guard let peer = self.directory.peers.first(where: { $0.node == node }) else {
            return self.take(.repairFailed(segment))
        }
        let store = self.store
        let fetch = SegmentFetch(
            segment: segment, peer: peer, tls: self.configuration.calling(node), pool: self.pool,
            eventLoop: self.eventLoop, logger: self.logger
        ) { try SegmentReplacement(of: $0, in: store) }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let eventLoop = self.eventLoop
        self.repairing = Task {
            let result: Result<VerifiedSegment, any Error>
            do { result = .success(try await fetch.run()) } catch { result = .failure(error) }
            try? await eventLoop.submit { bound.value.fetchedCopy(of: segment, from: node, result) }.get()
        }
    }

    private func fetchedCopy(of segment: SegmentID, from node: NodeID, _ result: Result<VerifiedSegment, any Error>) {
        switch result {
        case .success(let copy):
            self.goodCopy = copy
            self.take(.copyFetched(segment))
        case .failure(let error):
            self.logger.warning(
                "no good copy of a damaged segment; asking the next peer",
                metadata: [
                    "segment": "\(segment)", "peer": "\(node)", "error": "\(error)",
                    "hint": "\(SegmentFetchError.hint(after: error, else: Self.copyHint))",
                ])
            self.take(.repairFailed(segment))
        }
    }

    func installCopy(of segment: SegmentID) {
        guard let copy = self.goodCopy else { return self.take(.repairFailed(segment)) }
        self.goodCopy = nil
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.disk.install(copy) { error in
            guard let error else {
                bound.value.counters.segmentsRepaired += 1
                bound.value.logger.notice("damage repaired", metadata: ["segment": "\(segment)"])
                bound.value.take(
                    .copyInstalled(segment, firstIndex: copy.firstIndex, byteCount: UInt32(copy.byteCount)))
                // A reader that was still in the old file may have met damage after the copy had taken its place.
                return bound.value.tellDamage()
            }
            bound.value.logger.warning(
                "a good copy was not installed; trying again",
                metadata: [
                    "segment": "\(segment)", "error": "\(error)",
                    "hint": "see that the data directory's disk has room and can be written",
                ])
            bound.value.take(.repairFailed(segment))
        }
    }
}
