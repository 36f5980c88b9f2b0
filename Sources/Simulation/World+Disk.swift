import LogModel
import ReplicaCore
import SegmentLog

/// Every node's disk: jobs queue up while it is busy and share the next sync, as on a real disk thread.
extension World {
    func enqueue(_ job: DiskJob, _ node: SimulatedNode) {
        switch job {
        case .write(let bytes, let position, _): node.log.append(bytes, at: position)
        case .truncate(let point, _): node.truncated(to: point)
        case .trim, .persistVote, .recordCommit, .liftBar, .rememberStarts, .retire: break
        }
        node.jobs.append(job)
        guard !node.isDiskBusy else { return }
        node.isDiskBusy = true
        self.schedule(.runDisk(node: node.number, life: node.life), after: self.diskPause(node))
    }

    private func diskPause(_ node: SimulatedNode) -> UInt64 {
        if node.isSlow { return self.microseconds(5_000..<60_000) }
        return self.microseconds(self.isChurning ? 300..<3_000 : 20..<400)
    }

    func runDisk(_ node: SimulatedNode) throws(Violation) {
        guard let worker = node.worker else { return }
        let jobs = node.jobs
        node.jobs = []
        var events: [ReplicaEvent] = []
        do {
            for job in jobs {
                if let event = try worker.perform(job) { events.append(event) }
            }
            // In life once a second: no sync of frames, which is what the policy is about, but of what recovery needs.
            if self.configuration.policy == .os { try worker.rest(now: self.time(of: node).monotonic) }
        } catch {
            return self.diskFailed(node, error)
        }
        let life = node.life
        if let store = node.store { try node.note(first: store.first.segment) }
        for event in events {
            if case .votePersisted(let state) = event { node.votePersisted(state) }
            try self.step(node, event)
        }
        guard self.alive(node.number, life) != nil else { return }
        if worker.needsSync, self.configuration.policy != .os {
            self.schedule(.syncDisk(node: node.number, life: life), after: self.diskPause(node))
        } else {
            self.diskIsFree(node)
        }
    }

    func syncDisk(_ node: SimulatedNode) throws(Violation) {
        guard let worker = node.worker else { return }
        let event: ReplicaEvent
        do { event = try worker.sync(now: self.time(of: node).monotonic) } catch { return self.diskFailed(node, error) }
        let life = node.life
        try self.step(node, event)
        if self.alive(node.number, life) != nil { self.diskIsFree(node) }
    }

    private func diskIsFree(_ node: SimulatedNode) {
        guard !node.jobs.isEmpty else { return node.isDiskBusy = false }
        self.schedule(.runDisk(node: node.number, life: node.life), after: self.diskPause(node))
    }

    /// Power went in the middle of an operation.
    private func diskFailed(_ node: SimulatedNode, _ error: LogError) {
        self.crash(node, losesPower: true)
    }
}
