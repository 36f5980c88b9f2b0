import LogModel

/// Who waits for what.
extension LogCore {
    /// Resumes `continuation` once everything below `end` is durable, or never will be.
    ///
    /// - Returns: Whether the log's thread has to be woken.
    mutating func awaitDurable(_ end: Position, _ continuation: Continuation) -> Bool {
        if self.writer.durable.position >= end, end <= self.writer.chain.tail {
            continuation.resume(returning: .success(()))
            return false
        }
        if let failure = self.failure {
            continuation.resume(returning: .failure(failure))
            return false
        }
        self.syncWaiters.append(SyncWaiter(end: end, continuation: continuation))
        return true
    }

    /// Resumes `continuation` once readers may read beyond `position`, or the log is closed.
    mutating func awaitTail(beyond position: Position, id: UInt64, _ continuation: CheckedContinuation<Void, Never>) {
        if self.visible > position || position > self.writer.chain.tail || self.failure != nil {
            continuation.resume()
        } else {
            self.tailWaiters[id] = TailWaiter(position: position, continuation: continuation)
        }
    }

    mutating func cancelTailWaiter(_ id: UInt64) {
        self.tailWaiters.removeValue(forKey: id)?.continuation.resume()
    }

    /// Why nothing can be written any more.
    var failure: LogError? {
        if self.isClosed { return .closed }
        return self.writer.condition == .failed ? .failed : nil
    }

    /// Tells all who wait that nothing will be synced any more, if so: not only a sync can close a log to writers.
    mutating func releaseIfFailed() {
        guard let failure = self.failure else { return }
        self.resumeSyncWaiters(failure: failure)
        self.wakeAllReaders()
    }

    mutating func wakeReaders() {
        guard !self.tailWaiters.isEmpty else { return }
        let visible = self.visible
        for (id, waiter) in self.tailWaiters where waiter.position < visible {
            self.tailWaiters[id] = nil
            waiter.continuation.resume()
        }
    }

    mutating func wakeAllReaders() {
        for waiter in self.tailWaiters.values { waiter.continuation.resume() }
        self.tailWaiters.removeAll()
    }

    /// Resumes those whose wait is over: first the ones below the durable position, then, if `failure` is given, all.
    mutating func resumeSyncWaiters(failure: LogError? = nil) {
        let durable = self.writer.durable.position
        let done = self.syncWaiters.prefix { $0.end <= durable }.count
        for waiter in self.syncWaiters[..<done] { waiter.continuation.resume(returning: .success(())) }
        if let failure {
            for waiter in self.syncWaiters[done...] { waiter.continuation.resume(returning: .failure(failure)) }
            self.syncWaiters.removeAll()
        } else {
            self.syncWaiters.removeFirst(done)
        }
    }
}
