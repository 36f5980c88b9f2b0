import LogModel

/// What keeps a log in shape, off the way of appends and syncs: one chore at a time, on the maintenance thread.
struct Maintenance {
    struct Trim {
        var position: Position
        /// `nil` for what goes by retention.
        var continuation: LogCore.Continuation?
    }

    /// A chore is being done; it holds what it needs, and reports back.
    var isRunning = false
    var isAsleep = false
    /// When it wakes by itself.
    var wakesAt: MonotonicTime?
    /// No append that ends below gives it anything to do.
    var quietUntil = Position.zero
    /// An append waits for the next segment's file.
    var isPreparationAsked = false
    /// The disk refused the last preparation; made again when an append asks for it or something was trimmed.
    var isPreparationRefused = false
    /// DURABLE is to be carried to the disk.
    var isPageDue = false
    /// Segments were sealed since the last look at retention.
    var hasRotated = true
    var retainedAt = MonotonicTime.zero
    var trims: [Trim] = []
}

extension LogCore {
    enum Chore {
        case prepare(SegmentPreparation)
        case populate(SegmentPopulation)
        case trim(TrimJob, Continuation?)
        case syncPage
        case writeIndex(SegmentID)
        /// Find out what goes by retention.
        case retain
        case tell([LogEvent.Kind], LogCounters)
        case wait(until: MonotonicTime?)
        case exit
    }

    mutating func request(trim position: Position, _ continuation: Continuation?) -> Wakeups {
        if let failure = self.failure {
            return Wakeups(done: continuation.map { [($0, .failure(failure))] } ?? [])
        }
        self.maintenance.trims.append(Maintenance.Trim(position: position, continuation: continuation))
        return Wakeups(wakesMaintenance: self.takeMaintenanceWake())
    }

    /// What the maintenance thread is to do next.
    mutating func nextChore(now: MonotonicTime) -> (chore: Chore, wakeups: Wakeups) {
        var wakeups = Wakeups()
        self.maintenance.isRunning = true
        if let chore = self.dueChore(now: now, &wakeups) { return (chore, wakeups) }
        self.maintenance.isRunning = false
        // Somebody may have waited for the last chore to end.
        wakeups.wakesThread = (!self.requests.isEmpty || self.isAbandoned) && self.takeThreadWake()
        if self.isAbandoned, self.isClosed { return (.exit, wakeups) }
        self.maintenance.isAsleep = true
        self.maintenance.wakesAt = self.nextChoreDue
        self.maintenance.quietUntil = self.quietUntil
        return (.wait(until: self.maintenance.wakesAt), wakeups)
    }

    private mutating func dueChore(now: MonotonicTime, _ wakeups: inout Wakeups) -> Chore? {
        if !self.events.isEmpty || self.counters.isDue(now: now) {
            defer { self.events.removeAll() }
            return .tell(self.events, self.counters.take(now: now))
        }
        if let failure = self.failure {
            wakeups.done += self.maintenance.trims.compactMap { trim in
                trim.continuation.map { ($0, .failure(failure)) }
            }
            self.maintenance.trims.removeAll()
            return nil
        }
        // Truncating and closing wait for the chore at hand, not for another one.
        guard self.work != .exclusive, self.requests.isEmpty, !self.isAbandoned else { return nil }
        if let population = self.writer.takePopulation() { return .populate(population) }
        if self.isPreparationDue {
            self.maintenance.isPreparationAsked = false
            return .prepare(self.writer.backgroundPreparation)
        }
        while !self.maintenance.trims.isEmpty {
            let trim = self.maintenance.trims.removeFirst()
            if let job = self.writer.beginTrim(before: trim.position) { return .trim(job, trim.continuation) }
            if let continuation = trim.continuation { wakeups.done.append((continuation, .success(()))) }
        }
        if self.maintenance.isPageDue || (self.writer.durableFile.isDirty && self.writer.durableSyncDue <= now) {
            self.maintenance.isPageDue = false
            self.writer.noteDurableFileSync(now: now)
            return .syncPage
        }
        if let segment = self.writer.takeUnindexed() { return .writeIndex(segment) }
        if let due = self.retentionDue, due <= now {
            self.maintenance.hasRotated = false
            self.maintenance.retainedAt = now
            return .retain
        }
        return nil
    }

    /// When to look at retention: after each rotation, and now and then while age counts.
    private var retentionDue: MonotonicTime? {
        guard !self.configuration.retention.isUnlimited else { return nil }
        if self.maintenance.hasRotated { return .zero }
        guard self.configuration.retention.ageMax != nil else { return nil }
        return self.maintenance.retainedAt.advanced(byMilliseconds: EngineLimits.retentionIntervalMilliseconds)
    }

    private var isPreparationDue: Bool {
        guard !self.writer.canRotate else { return false }
        if self.maintenance.isPreparationAsked { return true }
        return !self.maintenance.isPreparationRefused
            && self.writer.remainingByteCount < self.configuration.segmentByteCountMax / 2
    }

    /// Where the next pages or the next segment's file become due.
    private var quietUntil: Position {
        guard self.work != .exclusive else { return .zero }
        let tail = self.writer.chain.tail
        var offset = self.writer.populationDueOffset
        let half = self.configuration.segmentByteCountMax / 2
        if !self.writer.canRotate, tail.offset < half { offset = min(offset, half) }
        return Position(segment: tail.segment, offset: UInt32(clamping: offset))
    }

    /// Whether an append that ends at `end` left something for the maintenance thread; cheap, since each one asks.
    func isMaintenanceDue(after end: Position) -> Bool {
        guard self.maintenance.isAsleep else { return false }
        return (end >= self.maintenance.quietUntil || self.maintenance.wakesAt == nil || !self.events.isEmpty)
            && self.hasMaintenanceWork
    }

    /// Whether an append or a sync left something for the maintenance thread, and it sleeps on.
    var hasMaintenanceWork: Bool {
        guard self.maintenance.isAsleep else { return false }
        if let due = self.nextChoreDue, self.maintenance.wakesAt.map({ due < $0 }) ?? true { return true }
        return self.isPreparationDue || self.writer.isPopulationDue || self.maintenance.isPageDue
            || !self.events.isEmpty || !self.writer.unindexed.isEmpty
    }

    private var nextChoreDue: MonotonicTime? {
        guard self.failure == nil, self.work != .exclusive, self.requests.isEmpty, !self.isAbandoned else {
            return self.counters.due
        }
        var due = self.counters.due
        if self.writer.durableFile.isDirty { due = min(due ?? self.writer.durableSyncDue, self.writer.durableSyncDue) }
        if let retention = self.retentionDue { due = min(due ?? retention, retention) }
        return due
    }

    // MARK: What became of a chore

    mutating func prepared(_ result: Result<PreparedSegment, LogError>) -> Wakeups {
        var wakeups = Wakeups()
        switch result {
        case .success(let segment):
            self.maintenance.isPreparationRefused = false
            self.writer.adopt(segment)
            wakeups.done = self.takeRoomWaiters(.success(()))
        case .failure(let error):
            if !self.maintenance.isPreparationRefused { self.events.append(.preparationRefused(error)) }
            self.maintenance.isPreparationRefused = true
            wakeups.done = self.takeRoomWaiters(.failure(error))
        }
        return wakeups
    }

    mutating func trimmed(_ job: TrimJob, _ outcome: TrimJob.Outcome, _ continuation: Continuation?) -> Wakeups {
        self.maintenance.isPreparationRefused = false
        self.events.append(.trimmed(before: job.first, segments: job.segments.count, byteCount: job.byteCount))
        self.counters.segmentsTrimmed += UInt64(job.segments.count)
        var wakeups = Wakeups()
        var result = Outcome.success(())
        switch outcome {
        case .done: break
        case .filesLeft(let error): result = .failure(error)
        case .syncFailed(let error):
            result = .failure(error)
            self.writer.syncFailed()
            wakeups = self.failed(error)
        }
        if let continuation { wakeups.done.append((continuation, result)) }
        return wakeups
    }

    mutating func pageSynced(_ error: LogError?) -> Wakeups {
        guard let error else { return Wakeups() }
        self.writer.syncFailed()
        return self.failed(error)
    }
}
