import LogModel
import LogState
import NIOCore
import RaftCore
import ReplicaCore
import SegmentLog

/// What callers ask of the log on this node, and how the core's answers find them again.
extension ReplicatorLoop {
    func propose(_ entries: [AppendQueue.Entry]) {
        guard !self.isStopped else {
            for entry in entries { entry.reply(.failure(.shuttingDown(mayBeApplied: false))) }
            return
        }
        var proposals: [Proposal] = []
        proposals.reserveCapacity(entries.count)
        let now = NIODeadline.now()
        for entry in entries {
            let id = self.pending.makeID()
            self.pending.appends[id] = PendingRequests.Append(reply: entry.reply, at: now)
            proposals.append(Proposal(id: id, entry.submission))
        }
        self.telling.proposed(at: now)
        let tail = self.core.chain.tail
        self.take(.proposed(proposals))
        guard self.core.raft.role == .leader, self.core.chain.tail > tail else { return }
        self.commitRounds.began(toward: self.core.chain.tail, at: self.steppedAt)
        self.trace(entries, proposals)
    }

    /// What waits for a leader, or is answered already, stands nowhere: its request's span tells of it.
    private func trace(_ entries: [AppendQueue.Entry], _ proposals: [Proposal]) {
        guard entries.contains(where: { $0.context != nil }) else { return }
        let held = Set(self.core.heldAppendIDs)
        for (entry, proposal) in zip(entries, proposals) {
            guard let context = entry.context, self.pending.appends[proposal.id] != nil, !held.contains(proposal.id)
            else {
                continue
            }
            self.traces.placed(
                proposal.id, in: context, through: self.core.chain.tail, followers: self.core.followers.keys.sorted())
        }
    }

    /// - Returns: The index that the next record takes, once a heartbeat round has shown that this node led.
    func confirmRead() -> EventLoopFuture<LogIndex> {
        let promise = self.eventLoop.makePromise(of: LogIndex.self)
        guard !self.isStopped else {
            promise.fail(ReadFailure.unavailable)
            return promise.futureResult
        }
        let id = self.pending.makeID()
        self.pending.reads[id] = promise
        self.take(.readAsked(id: id))
        return promise.futureResult
    }

    /// The cursors as all that was acknowledged before has left them.
    func readCursors() -> EventLoopFuture<CursorTable> {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        return self.confirmRead().map { _ in bound.value.core.committedCursors }
    }

    /// - Parameter done: Called exactly once, with the node that leads then.
    func transfer(to node: NodeID?, done: @escaping (Result<NodeID, TransferFailure>) -> Void) {
        guard !self.isStopped else { return done(.failure(.shuttingDown)) }
        let id = self.pending.makeID()
        self.pending.transfers[id] = done
        self.take(.transferAsked(id: id, to: node))
    }

    /// - Parameter done: Called exactly once.
    func change(_ change: MembershipChange, done: @escaping (Result<Membership, MembershipFailure>) -> Void) {
        guard !self.isStopped else { return done(.failure(.notLeader(leader: nil))) }
        let id = self.pending.makeID()
        self.pending.changes[id] = done
        self.take(.membershipAsked(id: id, change))
    }

    /// - Parameter done: Called exactly once, with where the log begins then.
    func trim(before index: LogIndex, done: @escaping (Result<TrimOutcome, TrimFailure>) -> Void) {
        guard !self.isStopped else { return done(.failure(.shuttingDown)) }
        let id = self.pending.makeID()
        self.pending.trims[id] = done
        self.take(.trimAsked(id: id, before: index))
    }

    func answer(_ id: UInt64, _ result: Result<AppendOutcome, AppendFailure>) {
        guard let asked = self.pending.appends.removeValue(forKey: id) else { return }
        if !self.traces.isEmpty { self.traces.answered(id) }
        switch result {
        case .success:
            self.counters.appendsAcknowledged += 1
            let now = self.steppedAt.nanoseconds
            self.appendLatency.note(nanoseconds: now - min(now, asked.at.uptimeNanoseconds))
        // It is sent on and counts where it is answered, or its caller has asked to be told.
        case .failure(.notLeader(leader: .some)), .failure(.conditionFailed): break
        case .failure: self.counters.appendsRefused += 1
        }
        asked.reply(result)
    }
}
