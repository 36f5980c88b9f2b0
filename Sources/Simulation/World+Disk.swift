import LogModel
import ReplicaCore
import SegmentLog

/// Every node's disk: jobs queue up while it is busy and share the next sync, as on a real disk thread.
extension World {
    func enqueue(_ job: DiskJob, _ node: SimulatedNode) throws(Violation) {
        switch job {
        case .write(let bytes, let position, _):
            let count = node.log.frames.count
            node.log.append(bytes, at: position)
            try self.oracle.placed(node.number, node.log.frames[count...])
        case .truncate(let point, _): node.truncated(to: point)
        case .trim, .persistVote, .recordCommit, .liftBar, .rememberStarts, .retire: break
        }
        node.jobs.append(job)
        guard !node.isDiskBusy else { return }
        node.isDiskBusy = true
        self.schedule(.runDisk(node: node.number, life: node.life), after: self.diskPause(node))
    }

    func diskPause(_ node: SimulatedNode) -> UInt64 {
        if node.isSlow || node.isDiskSlow { return self.microseconds(5_000..<60_000) }
        return self.microseconds(self.isChurning ? 300..<3_000 : 20..<400)
    }

    func runDisk(_ node: SimulatedNode) throws(Violation) {
        guard let worker = node.worker else { return }
        var events: [ReplicaEvent]
        do throws(LogError) {
            events = try node.performJobs()
            // In life once a second: of frames, which is what the policy is about, it syncs full segments alone.
            if self.configuration.policy == .os, let event = try worker.rest(now: self.time(of: node).monotonic) {
                events.append(event)
            }
        } catch {
            return self.diskFailed(node)
        }
        let life = node.life
        if let store = node.store { try node.note(first: store.first.segment) }
        for event in events {
            if case .votePersisted(let state) = event { node.votePersisted(state) }
            try self.step(node, event)
        }
        guard self.alive(node.number, life) != nil else { return }
        guard worker.needsSync else { return try self.diskIsFree(node) }
        switch self.configuration.policy {
        case .always: self.schedule(.syncDisk(node: node.number, life: life), after: self.diskPause(node))
        case .batch(let windowMilliseconds):
            self.syncLater(node, after: windowMilliseconds)
            try self.diskIsFree(node)
        case .os: try self.diskIsFree(node)
        }
    }

    /// What is written until then shares the sync.
    private func syncLater(_ node: SimulatedNode, after windowMilliseconds: UInt64) {
        guard !node.isSyncDue else { return }
        node.isSyncDue = true
        let window = windowMilliseconds * 1_000_000
        self.schedule(.syncDisk(node: node.number, life: node.life), after: window + self.diskPause(node))
    }

    func syncDisk(_ node: SimulatedNode) throws(Violation) {
        guard let worker = node.worker else { return }
        let event: ReplicaEvent
        do { event = try worker.sync(now: self.time(of: node).monotonic) } catch { return self.diskFailed(node) }
        let life = node.life
        // Under `batch` writes go on meanwhile; under `always` they waited.
        let isWaitedFor = !node.isSyncDue
        node.isSyncDue = false
        try self.step(node, event)
        if isWaitedFor, self.alive(node.number, life) != nil { try self.diskIsFree(node) }
    }

    private func diskIsFree(_ node: SimulatedNode) throws(Violation) {
        try self.tellRoom(node)
        guard !node.jobs.isEmpty else { return node.isDiskBusy = false }
        let pause = node.room.isBlocked ? self.roomPause() : self.diskPause(node)
        self.schedule(.runDisk(node: node.number, life: node.life), after: pause)
    }

    /// Power went in the middle of an operation; or the disk refused what it must not, a sync above all, and the process
    /// ends.
    func diskFailed(_ node: SimulatedNode) {
        self.countFailure(of: node)
        self.crash(node, losesPower: node.disk.isStopped)
    }

    func countFailure(of node: SimulatedNode) {
        if !node.disk.isStopped, !node.disk.refused.isDisjoint(with: [.sync, .syncMapping, .syncDirectory]) {
            self.report.syncsFailed += 1
        }
    }
}
