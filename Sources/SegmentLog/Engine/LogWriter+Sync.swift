import DiskIO
import LogModel

/// One sync of everything written so far, to be performed by any thread while appends go on.
package struct SyncJob: Sendable {
    let sealing: [LogWriter.Sealing]
    let active: (any File)?
    /// What has to be written to it first.
    let staged: StagedFrames?
    /// Synced when entries were made or removed.
    let directory: LogFiles?
    /// What is durable once the job is done.
    package let point: LogPoint

    /// Writes what is staged, cuts full segments to their length and syncs them, then the active one, then the directory.
    ///
    /// - Throws: ``LogError/storage(_:)``. Never retry: hand it to ``LogWriter/syncFailed()``.
    package func perform() throws(LogError) {
        for full in self.sealing { try full.staged?.write() }
        try self.staged?.write()
        try disk { () throws(DiskError) in
            for full in self.sealing {
                try full.file.truncate(to: Int(full.point.position.offset))
                try full.file.sync()
            }
            try self.active?.sync()
        }
        try self.directory?.syncDirectory()
    }
}

extension LogWriter {
    /// Everything appended before is durable on return, whatever segments it lies in.
    ///
    /// - Parameter now: Decides whether DURABLE, which is stored in any case, is carried to the disk as well.
    /// - Returns: The durable point.
    /// - Throws: ``LogError/storage(_:)`` the first time, then ``LogError/failed``: after a failed sync the log is
    ///   closed to writers for good, and only recovery decides what was kept.
    @discardableResult
    package func sync(now: MonotonicTime = .zero) throws(LogError) -> LogPoint {
        try self.checkOpen()
        guard self.isSyncNeeded else { return self.durable }
        let job = self.beginSync()
        do throws(LogError) {
            try job.perform()
            if self.finishSync(job, now: now) { try self.durableFile.sync() }
        } catch {
            self.syncFailed()
            throw error
        }
        return self.durable
    }

    /// The sync that is needed now. At most one at a time, and no truncation before it is finished.
    package func beginSync() -> SyncJob {
        self.begin(active: self.durable == self.chain.point ? nil : self.active.file, through: self.chain.point)
    }

    /// Whether a full segment waits to be cut to its length and synced.
    package var isSealing: Bool { !self.sealing.isEmpty }

    /// A sync of the full segments alone, for logs whose appends do not wait for one. As ``beginSync()`` otherwise.
    package func beginFinalizing() -> SyncJob {
        self.begin(active: nil, through: self.sealing.last?.point ?? self.durable)
    }

    private func begin(active: (any File)?, through point: LogPoint) -> SyncJob {
        let job = SyncJob(
            sealing: self.sealing, active: active, staged: active == nil ? nil : self.active.takeStaged(),
            directory: self.isDirectoryDirty ? self.files : nil, point: point)
        self.isDirectoryDirty = false
        self.sealedStagedByteCount = 0
        self.durableFile.update { $0.isSyncOpen = true }
        return job
    }

    /// Writes what is staged, so that the files hold the whole log. Not while a ``SyncJob`` is being performed.
    func writeStaged() throws(LogError) {
        for place in self.sealing.indices {
            try self.sealing[place].staged?.write()
            self.sealing[place].staged = nil
        }
        self.sealedStagedByteCount = 0
        try self.active.takeStaged()?.write()
    }

    /// Takes note of a performed job and stores DURABLE.
    ///
    /// - Returns: Whether DURABLE is to be carried to the disk now, with ``syncDurablePage()``.
    package func finishSync(_ job: SyncJob, now: MonotonicTime) -> Bool {
        self.sealing.removeFirst(job.sealing.count)
        self.unindexed += job.sealing.map(\.id)
        self.unindexed.removeFirst(max(0, self.unindexed.count - EngineLimits.unindexedSegmentsMax))
        self.storeDurable(job.point)
        return self.takeDurableFileSync(now: now) || !job.sealing.isEmpty
    }

    /// A segment whose index file is to be written now (``LogStore/writeIndexFile(of:)``), for the next process to find.
    package func takeUnindexed() -> SegmentID? { self.unindexed.popLast() }

    /// Any thread. A failure is a failed sync.
    package func syncDurablePage() throws(LogError) { try self.durableFile.sync() }

    /// A sync failed: no write is let through again.
    package func syncFailed() { self.fail() }
}
