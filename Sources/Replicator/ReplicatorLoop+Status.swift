import LogModel
import ReplicaCore
import SegmentLog

/// How the node is, for people and for programs that watch it.
extension ReplicatorLoop {
    func status(identity: NodeIdentity) -> ReplicatorStatus {
        var counters = self.counters
        for link in self.links.values {
            counters.rangesShipped += link.shipped.rangeCount
            counters.rangeBytesRaw += link.shipped.bytesRaw
            counters.rangeBytesOnWire += link.shipped.bytesOnWire
        }
        return ReplicatorStatus(
            phase: self.isStopped ? .stopped : .running, node: self.configuration.node,
            incarnation: identity.incarnation, generation: identity.generation, cluster: identity.cluster,
            role: self.core.raft.role,
            term: self.core.raft.term, leader: self.core.knownLeader, commit: self.core.commit,
            tail: self.core.chain.tail, firstIndex: self.store.firstIndex, nextIndex: self.core.committedNextIndex,
            tailIndex: self.core.chain.nextIndex, votedFor: self.core.raft.hardState.vote?.node,
            isReady: self.core.isReady, retirement: self.core.retirement, membership: self.membership,
            peers: self.links.sorted { $0.key < $1.key }.map { node, link in
                let progress = self.core.followers[node]
                return .init(
                    node: node, isConnected: link.isConnected, otherProtocol: self.otherProtocol(of: node),
                    laterFormat: self.core.laterFormat(of: node),
                    received: progress?.received.position,
                    persisted: progress?.persisted.position,
                    missingByteCount: self.core.missingByteCount(of: node),
                    lagMilliseconds: self.lagMilliseconds(of: node), shipping: progress?.shipping,
                    inFlightByteCount: progress?.inFlightByteCount ?? 0,
                    shipped: link.shipped, roundTimes: link.roundTimes)
            },
            mayVote: self.core.raft.mayVote, damagedSegments: self.core.damagedSegments,
            repairing: self.core.repairing, isDiskFull: self.core.waitsForRoom,
            scrubbing: self.scrubbing?.progress ?? .init(), appendLatency: self.appendLatency,
            commitLatency: self.commitRounds.times, syncLatency: self.disk.syncLatency, counters: counters)
    }

    private func lagMilliseconds(of node: NodeID) -> UInt64? {
        guard self.core.raft.role == .leader, let progress = self.core.followers[node] else { return nil }
        return self.tailClock.milliseconds(behind: progress.persisted.position, now: Self.now().monotonic)
    }
}
