import LogModel
import RaftCore
import WireFormat

/// What the disk reports. What it says of a time before the last truncation is ignored, so that a late completion
/// never vouches for what replaced it, be it the very same frames shipped again.
extension ReplicaCore {
    mutating func diskWrote(through point: LogPoint, generation: UInt64) {
        guard generation == self.diskGeneration, self.contains(point), point.position > self.written.position else {
            return
        }
        self.written = point
        self.buffer.shrink(written: point.position)
        if self.configuration.raft.planted == .acknowledgeBeforeSync {
            self.diskPersisted(through: point, generation: generation)
        }
        guard self.configuration.policy == .os else { return }
        self.consensus(.persisted(through: point))
        self.acknowledgeUpstream()
    }

    mutating func diskPersisted(through point: LogPoint, generation: UInt64) {
        let point = self.configuration.raft.planted == .syncVouchesForLater ? self.chain.point : point
        guard generation == self.diskGeneration, self.contains(point), point.position > self.persisted.position else {
            return
        }
        self.persisted = point
        guard self.configuration.policy != .os else { return }
        self.consensus(.persisted(through: point))
        self.acknowledgeUpstream()
    }

    /// Tells the leader how far this node has received and persisted what it shipped.
    mutating func acknowledgeUpstream() {
        guard let upstream = self.upstream, upstream.isConfirmed else { return }
        self.actions.append(
            .acknowledge(
                AckMessage(term: self.raft.term, received: self.written, persisted: self.persisted, refusal: nil),
                on: upstream.stream
            )
        )
    }
}
