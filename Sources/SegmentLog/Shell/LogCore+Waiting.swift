import LogModel

/// Who waits for what.
extension LogCore {
    /// What a caller who wants its append durable is to do.
    enum Role {
        /// Nothing; its continuation is resumed, now or later.
        case waits(Wakeups)
        /// Perform this sync on its own thread, for itself and all who came before.
        case leads(BegunSync)
    }

    /// Enters a caller that returns once everything below `end` is durable.
    ///
    /// The last of those whom the sync waits for (``SyncGathering``) leads it on its own thread, for all, so that no
    /// other thread is needed; when it may not (``SyncLeadership``), or others do not come, the log's thread does.
    mutating func join(_ end: Position, _ continuation: Continuation) -> Role {
        var wakeups = Wakeups()
        if self.view.durable >= end, end <= self.view.written {
            wakeups.done.append((continuation, .success(())))
        } else if let failure = self.failure {
            wakeups.done.append((continuation, .failure(failure)))
        } else {
            self.syncWaiters.append(SyncWaiter(end: end, continuation: continuation))
            // While somebody syncs, the end of that sync sees to those who came meanwhile.
            guard self.work == .idle else { return .waits(wakeups) }
            let isLast = self.syncWaiters.count == max(1, self.gathering.expected)
            if isLast, self.requests.isEmpty, SyncLeadership.take() { return .leads(self.beginSync()) }
            wakeups.wakesThread = (self.isGathered || !self.isGatheringTimed) && self.takeThreadWake()
        }
        return .waits(wakeups)
    }

    /// Enters a caller that returns once everything appended so far is durable.
    ///
    /// The tail is taken under the lock: one from before a truncation might never be reached again.
    mutating func joinTail(_ continuation: Continuation) -> Role {
        guard !self.isCrowded else {
            return .waits(
                Wakeups(done: [(continuation, .failure(.overloaded(waiting: EngineLimits.waitingAppendsMax)))]))
        }
        return self.join(self.work == .exclusive ? self.view.written : self.writer.chain.tail, continuation)
    }

    /// Enters an append that found no room.
    ///
    /// - Parameter epoch: From the attempt; when it has passed, something changed since, and the append tries again.
    mutating func joinRoom(since epoch: UInt64, _ continuation: Continuation) -> Wakeups {
        var wakeups = Wakeups()
        if let failure = self.failure {
            wakeups.done.append((continuation, .failure(failure)))
        } else if self.roomEpoch != epoch {
            wakeups.done.append((continuation, .success(())))
        } else if self.isCrowded {
            wakeups.done.append((continuation, .failure(.overloaded(waiting: EngineLimits.waitingAppendsMax))))
        } else {
            self.roomWaiters.append(continuation)
            wakeups.wakesMaintenance = self.takeMaintenanceWake()
            wakeups.wakesThread = self.isStageFull && self.work == .idle && self.takeThreadWake()
        }
        return wakeups
    }

    /// Whether one more caller would be too many; asked before anything is placed for it.
    var isCrowded: Bool {
        self.syncWaiters.count + self.roomWaiters.count >= EngineLimits.waitingAppendsMax
    }

    /// Lets every append that waits for room try again, or tells it why not.
    mutating func takeRoomWaiters(_ outcome: Outcome) -> [(Continuation, Outcome)] {
        defer { self.roomWaiters.removeAll() }
        self.roomEpoch += 1
        return self.roomWaiters.map { ($0, outcome) }
    }

    // MARK: Readers

    /// Enters a reader that goes on once it may read beyond `position`, or the log is closed.
    ///
    /// - Returns: Whether it may go on at once.
    mutating func awaitTail(
        beyond position: Position, id: UInt64, _ continuation: CheckedContinuation<Void, Never>
    ) -> Bool {
        if self.view.visible > position || position > self.view.written || self.failure != nil { return true }
        self.tailWaiters[id] = TailWaiter(position: position, continuation: continuation)
        return false
    }

    mutating func cancelTailWaiter(_ id: UInt64) -> CheckedContinuation<Void, Never>? {
        self.tailWaiters.removeValue(forKey: id)?.continuation
    }

    /// Readers for whom there is something to read now.
    mutating func takeReaders() -> [CheckedContinuation<Void, Never>] {
        guard !self.tailWaiters.isEmpty else { return [] }
        let visible = self.view.visible
        var readers: [CheckedContinuation<Void, Never>] = []
        for (id, waiter) in self.tailWaiters where waiter.position < visible {
            self.tailWaiters[id] = nil
            readers.append(waiter.continuation)
        }
        return readers
    }

    mutating func takeAllReaders() -> [CheckedContinuation<Void, Never>] {
        defer { self.tailWaiters.removeAll() }
        return self.tailWaiters.values.map(\.continuation)
    }

    // MARK: Threads

    /// Whether the caller has to wake the log's thread; asked once only.
    mutating func takeThreadWake() -> Bool {
        defer { self.isThreadAsleep = false }
        return self.isThreadAsleep
    }

    mutating func takeMaintenanceWake() -> Bool {
        defer { self.maintenance.isAsleep = false }
        return self.maintenance.isAsleep
    }
}
