import LogModel
import WireFormat

/// Damage is never cut away: a good copy of the segment comes from a peer, is checked against its neighbours and takes
/// the place of the file, while reads of the damaged range are refused.
///
/// Only sealed segments that are wholly committed can be copied, since those are the same file on every node. For damage in
/// the active one the leader, who hears of it with the answers to its heartbeats, ends that segment early.
extension ReplicaCore {
    /// Segments with damage that is not repaired yet, ascending.
    package var damagedSegments: [SegmentID] { self.repairs.segments.reversed() }

    mutating func damageFound(in segment: SegmentID, end: Position) {
        guard segment >= self.segments.first, end <= self.chain.tail else { return }
        self.repairs.found(in: segment, end: end)
        self.consensus(.unreadable(through: self.repairs.end))
        self.driveRepairs()
    }

    mutating func endDamagedSegment(of reply: HeartbeatReply) {
        guard reply.term == self.raft.term, self.raft.membership.contains(reply.follower) else { return }
        self.endActiveSegment(damagedThrough: reply.unreadable)
    }

    /// A file that keeps rotting makes no more of the log's segments than one in a while; and none while leadership is handed
    /// over, since whoever is to lead next has all that was placed.
    private mutating func endActiveSegment(damagedThrough end: Position) {
        guard self.raft.role == .leader, self.handover == nil, end > .zero, end.segment == self.chain.tail.segment,
            self.diskRoom == .enough,
            self.repairs.mayEndEarly(
                now: self.now.monotonic, pauseMilliseconds: self.configuration.limits.earlyEndPauseMilliseconds)
        else { return }
        self.actions.append(.note(.endedDamaged(end.segment)))
        self.endActiveSegment()
        self.drainEffects()
        self.shipToAll()
    }

    /// Begins the next repair when it is time.
    mutating func driveRepairs() {
        self.endActiveSegment(damagedThrough: self.repairs.end)
        guard !self.repairs.isEmpty, self.repairs.phase == .idle, self.now.monotonic >= self.repairs.retryAt else {
            return
        }
        let ready = self.repairs.segments.filter { self.isWhollyCommitted($0) }
        guard let next = self.repairs.begin(ready, among: self.repairPeers) else { return }
        self.actions.append(.fetchCopy(of: next.segment, from: next.peer))
    }

    /// Who is connected, the leader first.
    private var repairPeers: [NodeID] {
        let peers = self.connected.intersection(self.raft.membership.nodes).sorted()
        guard let leader = self.raft.leader, peers.contains(leader) else { return peers }
        return [leader] + peers.filter { $0 != leader }
    }

    private func isWhollyCommitted(_ segment: SegmentID) -> Bool {
        guard let end = self.segments.byteCount(of: segment) else { return false }
        return Position(segment: segment, offset: end) <= self.commit && self.persisted.position.segment > segment
    }

    mutating func copyFetched(_ segment: SegmentID) {
        guard self.repairs.phase == .fetching(segment) else { return }
        self.repairs.fetched(segment)
        self.actions.append(.installCopy(of: segment))
    }

    /// Another peer may have a better one, or this one a little later.
    mutating func repairFailed(_ segment: SegmentID) {
        guard self.repairs.phase != .idle else { return }
        self.repairs.failed(
            segment, now: self.now.monotonic, pauseMilliseconds: self.configuration.limits.repairPauseMilliseconds)
    }

    mutating func copyInstalled(_ segment: SegmentID, firstIndex: LogIndex, byteCount: UInt32) {
        self.segments.repaired(segment, firstIndex: firstIndex, byteCount: byteCount)
        self.repairs.repaired(segment)
        self.actions.append(.note(.repaired(segment)))
        self.repairsChanged()
        self.driveRepairs()
    }

    /// A trim or a truncation may have removed what was damaged.
    mutating func repairsChanged() {
        guard self.raft.unreadable != self.repairs.end else { return }
        self.consensus(.unreadable(through: self.repairs.end))
    }
}
