import LogModel

/// What the log's thread does, and what becomes of it.
extension LogCore {
    mutating func request(_ request: Request) { self.requests.append(request) }

    /// Nobody holds the log any more.
    mutating func abandon() { self.isAbandoned = true }

    mutating func nextStep(now: MonotonicTime) -> Step {
        if !self.requests.isEmpty { return .perform(self.requests.removeFirst()) }
        if self.isAbandoned { return .exit }
        if self.failure != nil { return .wait(until: nil) }
        var deadline: MonotonicTime?
        if !self.syncWaiters.isEmpty { return .sync(self.beginSync()) }
        if let since = self.unsyncedSince, case .batch(let window) = self.configuration.policy {
            let due = since.advanced(byMilliseconds: window)
            if due <= now { return .sync(self.beginSync()) }
            deadline = due
        }
        if self.isPreparationNeeded {
            self.isPreparing = true
            return .prepare(self.writer.backgroundPreparation)
        }
        if self.writer.durableFile.isDirty {
            let due = self.writer.durableSyncDue
            if due <= now { return .syncDurablePage }
            deadline = min(deadline ?? due, due)
        }
        return .wait(until: deadline)
    }

    private mutating func beginSync() -> SyncJob {
        self.unsyncedSince = nil
        return self.writer.beginSync()
    }

    var isPreparationNeeded: Bool {
        !self.isPreparing && !self.wasPreparationRefused && !self.writer.canRotate
            && self.writer.remainingByteCount < self.configuration.segmentByteCountMax / 2
    }

    /// - Returns: Whether DURABLE is to be carried to the disk now.
    mutating func synced(_ job: SyncJob, now: MonotonicTime) -> Bool {
        let isPageDue = self.writer.finishSync(job, now: now)
        self.resumeSyncWaiters()
        self.wakeReaders()
        return isPageDue
    }

    mutating func syncFailed(_ error: LogError) {
        self.writer.syncFailed()
        self.resumeSyncWaiters(failure: error)
        self.wakeAllReaders()
    }

    mutating func prepared(_ result: Result<PreparedSegment, LogError>) {
        self.isPreparing = false
        switch result {
        case .success(let segment): self.writer.adopt(segment)
        // The append that needs the segment tries again, and says what is wrong.
        case .failure: self.wasPreparationRefused = true
        }
    }

    mutating func noteDurablePageSynced(now: MonotonicTime) { _ = self.writer.takeDurableFileSync(now: now) }

    mutating func perform(_ request: Request, now: MonotonicTime) {
        switch request {
        case .truncate(let position, let continuation):
            continuation.resume(returning: self.outcome { core throws(LogError) in try core.truncate(position) })
        case .trim(let position, let continuation):
            continuation.resume(
                returning: self.outcome { core throws(LogError) in
                    try core.writer.trim(before: position)
                    core.wasPreparationRefused = false
                })
        case .close(let continuation):
            continuation.resume(returning: self.outcome { core throws(LogError) in try core.close(now: now) })
        }
    }

    private mutating func outcome(_ body: (inout LogCore) throws(LogError) -> Void) -> Outcome {
        do throws(LogError) {
            try body(&self)
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    private mutating func truncate(_ position: Position) throws(LogError) {
        defer {
            // Appends that wait for a sync of what is gone are told so; readers look again.
            let failure = self.failure ?? .beyondTail(tail: self.writer.chain.tail)
            let tail = self.writer.chain.tail
            let gone = self.syncWaiters.filter { $0.end > tail }
            self.syncWaiters.removeAll { $0.end > tail }
            for waiter in gone { waiter.continuation.resume(returning: .failure(failure)) }
            self.wakeAllReaders()
        }
        guard !self.isClosed else { throw .closed }
        try self.writer.truncate(from: position)
        self.state = try Self.state(of: self.writer)
    }

    mutating func close(now: MonotonicTime) throws(LogError) {
        guard !self.isClosed else { return }
        defer {
            self.isClosed = true
            self.resumeSyncWaiters(failure: .closed)
            self.wakeAllReaders()
        }
        try self.writer.close(now: now, state: self.state)
    }
}
