import LogModel
import LogState

/// Syncs, and what the log's thread does alone.
extension LogCore {
    /// What the log's thread is to do.
    enum Step {
        case sync(BegunSync)
        case perform(Request)
        case wait(until: MonotonicTime?)
        case exit
    }

    /// Nobody holds the log any more.
    mutating func abandon() -> Wakeups {
        self.isAbandoned = true
        return Wakeups(wakesThread: self.takeThreadWake(), wakesMaintenance: self.takeMaintenanceWake())
    }

    mutating func request(_ request: Request) -> Wakeups {
        self.requests.append(request)
        return Wakeups(wakesThread: self.takeThreadWake())
    }

    mutating func nextStep(now: MonotonicTime) -> Step {
        self.isGatheringTimed = false
        guard self.work == .idle else { return self.sleep(until: nil) }
        if !self.requests.isEmpty || self.isAbandoned {
            guard !self.maintenance.isRunning else { return self.sleep(until: nil) }
            self.work = .exclusive
            return self.requests.isEmpty ? .exit : .perform(self.requests.removeFirst())
        }
        if self.failure != nil { return self.sleep(until: nil) }
        if !self.syncWaiters.isEmpty {
            if self.isGathered || self.gathering.deadline <= now { return .sync(self.beginSync()) }
            self.isGatheringTimed = true
            return self.sleep(until: self.gathering.deadline)
        }
        switch self.configuration.policy {
        case .always: break
        case .batch(let window):
            guard let since = self.unsyncedSince else { break }
            let due = since.advanced(byMilliseconds: window)
            return due <= now ? .sync(self.beginSync()) : self.sleep(until: due)
        case .os:
            // A full segment is finalized in the background, so that the next start need not read it.
            if self.writer.isSealing {
                self.work = .syncing
                return .sync(BegunSync(job: self.writer.beginFinalizing()))
            }
        }
        return self.sleep(until: nil)
    }

    private mutating func sleep(until deadline: MonotonicTime?) -> Step {
        self.isThreadAsleep = true
        return .wait(until: deadline)
    }

    /// Whom to tell of an append that returns once it is written; nobody, most of the time.
    mutating func noteWritten(through end: Position, now: () -> MonotonicTime) -> Wakeups? {
        let wakesThread = self.noteUnsynced(now: now)
        let wakesMaintenance = self.isMaintenanceDue(after: end)
        guard wakesThread || wakesMaintenance || !self.tailWaiters.isEmpty else { return nil }
        return Wakeups(
            readers: self.takeReaders(), wakesThread: wakesThread && self.takeThreadWake(),
            wakesMaintenance: wakesMaintenance && self.takeMaintenanceWake())
    }

    /// Whether the log's thread has to know: under `batch` to set its timer, under `os` to finalize.
    private mutating func noteUnsynced(now: () -> MonotonicTime) -> Bool {
        switch self.configuration.policy {
        case .always: return false
        case .batch:
            guard self.unsyncedSince == nil else { return false }
            self.unsyncedSince = now()
            return true
        case .os: return self.writer.isSealing && self.isThreadAsleep
        }
    }

    mutating func beginSync() -> BegunSync {
        precondition(self.work == .idle, "two syncs at a time")
        self.work = .syncing
        self.gathering.began(waiting: self.syncWaiters.count, isFull: self.isStageFull)
        self.isGatheringTimed = false
        self.unsyncedSince = nil
        var begun = BegunSync(job: self.writer.beginSync())
        if self.isStageFull {
            self.isStageFull = false
            begun.wakeups.done = self.takeRoomWaiters(.success(()))
        }
        return begun
    }

    /// Whether those are there whom the next sync waits for; others cannot come while too much is staged.
    var isGathered: Bool { self.isStageFull || self.gathering.isComplete(waiting: self.syncWaiters.count) }

    /// - Parameter nanoseconds: How long it took.
    mutating func finishSync(_ job: SyncJob, nanoseconds: UInt64, now: MonotonicTime) -> Wakeups {
        self.work = .idle
        if self.writer.finishSync(job, now: now) { self.maintenance.isPageDue = true }
        // What was not synced stays, whatever retention says: now more of it may go.
        if !job.sealing.isEmpty { self.maintenance.hasRotated = true }
        self.publishView()
        let durable = self.writer.durable.position
        let count = self.syncWaiters.prefix { $0.end <= durable }.count
        self.counters.synced(callers: count)
        var wakeups = Wakeups(readers: self.takeReaders())
        wakeups.done.reserveCapacity(count)
        for waiter in self.syncWaiters[..<count] { wakeups.done.append((waiter.continuation, .success(()))) }
        self.syncWaiters.removeFirst(count)
        wakeups.syncCallers = count
        self.gathering.synced(served: count, waiting: self.syncWaiters.count, nanoseconds: nanoseconds, now: now)
        wakeups.wakesThread = self.hasThreadWork && self.takeThreadWake()
        wakeups.wakesMaintenance = self.hasMaintenanceWork && self.takeMaintenanceWake()
        return wakeups
    }

    private var hasThreadWork: Bool {
        !self.syncWaiters.isEmpty || !self.requests.isEmpty || self.isAbandoned || self.unsyncedSince != nil
            || (self.configuration.policy == .os && self.writer.isSealing)
    }

    mutating func syncFailed(_ error: LogError) -> Wakeups {
        self.work = .idle
        self.writer.syncFailed()
        return self.failed(error)
    }

    /// An append was refused. When not even its traces could be removed, the log is closed to writers, and all who wait
    /// for a sync or at the tail are told: no sync comes that would tell them.
    ///
    /// In the lock that the append was made under: another append would meet the closed writer before.
    mutating func refused(_ error: LogError) -> Wakeups? {
        // While somebody is alone with the writer, no append gets as far as to it.
        guard self.work != .exclusive, self.writer.condition == .failed, !self.hasFailed else { return nil }
        return self.failed(error)
    }

    /// - Parameter error: What is told to those who wait for a sync. Their frames may be in the file, so that it must not be
    ///   one that says that the log is as it was.
    mutating func failed(_ error: LogError) -> Wakeups {
        if !self.hasFailed { self.events.append(.failed(error)) }
        self.hasFailed = true
        self.publishView()
        var wakeups = Wakeups(readers: self.takeAllReaders())
        wakeups.done = self.syncWaiters.map { ($0.continuation, .failure(error)) }
        self.syncWaiters.removeAll()
        wakeups.done += self.takeRoomWaiters(.failure(.failed))
        wakeups.wakesThread = self.takeThreadWake()
        wakeups.wakesMaintenance = self.takeMaintenanceWake()
        return wakeups
    }

    // MARK: Alone with the writer

    /// After a truncation: appends that wait for a sync of what is gone are told so; everybody else looks again.
    mutating func finishTruncation(_ outcome: Outcome, state: LogState?, _ continuation: Continuation) -> Wakeups {
        self.work = .idle
        if let state { self.state = state }
        self.isTermNoted = false
        let tail = self.writer.chain.tail
        if self.writer.condition == .failed {
            let error = if case .failure(let error) = outcome { error } else { LogError.failed }
            var wakeups = self.failed(error)
            wakeups.done.append((continuation, outcome))
            return wakeups
        }
        self.publishView()
        var wakeups = Wakeups(readers: self.takeAllReaders())
        wakeups.done = self.takeRoomWaiters(.success(()))
        for waiter in self.syncWaiters where waiter.end > tail {
            wakeups.done.append((waiter.continuation, .failure(.beyondTail(tail: tail))))
        }
        self.syncWaiters.removeAll { $0.end > tail }
        wakeups.done.append((continuation, outcome))
        wakeups.wakesMaintenance = self.takeMaintenanceWake()
        return wakeups
    }

    mutating func finishClose(_ outcome: Outcome, _ continuation: Continuation?) -> Wakeups {
        self.work = .idle
        if !self.isClosed { self.events.append(.closed) }
        self.isClosed = true
        self.publishView()
        var wakeups = Wakeups(readers: self.takeAllReaders())
        let durable = self.writer.durable.position
        // A close that fails is what those hear whose frames may be in the file or not.
        let missed = if case .failure = outcome { outcome } else { Outcome.failure(.closed) }
        wakeups.done = self.syncWaiters.map { ($0.continuation, $0.end <= durable ? .success(()) : missed) }
        self.syncWaiters.removeAll()
        wakeups.done += self.takeRoomWaiters(.failure(.closed))
        if let continuation { wakeups.done.append((continuation, outcome)) }
        wakeups.wakesMaintenance = self.takeMaintenanceWake()
        return wakeups
    }
}
