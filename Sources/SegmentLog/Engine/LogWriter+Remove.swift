import DiskIO
import LogModel
import SegmentFormat

extension LogWriter {
    /// Removes everything from `position` on. Not while a ``SyncJob`` is being performed.
    ///
    /// What is staged is written first, also when the truncation is refused afterwards. DURABLE is lowered and synced;
    /// then whole segments go, highest first; then the boundary segment is cut and synced. A crash in between leaves a
    /// longer log that is whole, never a hole. At an offset of 64 or less the segment goes whole, and the tail becomes
    /// the end of the one before.
    ///
    /// - Parameters:
    ///   - position: The end of a frame, or offset 0 or 64 of a segment; not below the commit position.
    ///   - willCut: Hears where the log is going to end, right before readers see that it was cut.
    /// - Throws: ``LogError/committed(through:)``, ``LogError/beyondTail(tail:)``, ``LogError/trimmed(first:)``,
    ///   ``LogError/noFrame(at:)``, ``LogError/damaged(_:)`` before anything is changed. After
    ///   ``LogError/storage(_:)`` the log is closed to writers for good.
    /// - Complexity: Reads and checks the boundary segment; two or three syncs.
    package func truncate(
        from position: Position, willCut: (Position) -> Void = { _ in }
    ) throws(LogError) {
        try self.checkOpen()
        do throws(LogError) {
            // The frames are read from the files.
            try self.writeStaged()
        } catch {
            self.fail()
            throw error
        }
        let record = self.durableFile.record
        guard position <= self.chain.tail else { throw .beyondTail(tail: self.chain.tail) }
        let kept = position == self.chain.tail ? self.chain : try self.store.chain(at: position)
        guard kept.tail != self.chain.tail else { return }
        guard kept.tail >= record.commit else { throw .committed(through: record.commit) }
        guard !kept.isEmpty, kept.tail.segment >= self.store.first.segment else {
            throw .trimmed(first: self.store.first)
        }
        do throws(LogError) {
            if record.durable.position > kept.tail {
                try self.durableFile.reset {
                    $0.durable = kept.point
                    $0.isClean = false
                }
                self.durable = kept.point
            }
            willCut(kept.tail)
            try self.cut(to: kept)
        } catch {
            self.fail()
            throw error
        }
    }

    private func cut(to kept: FrameChain) throws(LogError) {
        let last = self.active.segment
        self.store.withLayout { $0.truncated(to: kept) }
        self.store.forgetRemovedDamage()
        self.store.descriptors.forget { $0 > kept.tail.segment }
        self.chain = kept
        for number in kept.tail.segment.rawValue...last.rawValue { self.files.removeIndexFile(of: SegmentID(number)) }
        if last > kept.tail.segment {
            for number in ((kept.tail.segment.rawValue + 1)...last.rawValue).reversed() {
                try self.files.removeIfThere(SegmentID(number).fileName)
            }
            try self.files.syncDirectory()
            self.isDirectoryDirty = false
        }
        self.sealing.removeAll { $0.id >= kept.tail.segment }
        // What comes instead may be staged and not written: nobody is to walk it.
        self.unindexed.removeAll { $0 >= kept.tail.segment }
        let file = try self.files.open(kept.tail.segment, .write)
        try disk { () throws(DiskError) in
            try file.truncate(to: Int(kept.tail.offset))
            try file.sync()
        }
        self.active = try ActiveSegment(
            kept.tail, files: self.files, byteCount: self.segmentByteCountMax, path: self.framePath)
    }

    /// Removes the sealed and synced segments that lie wholly below `position`; the rest stays.
    ///
    /// - Returns: Where the log begins now.
    /// - Throws: ``LogError/storage(_:)``: the log begins at its new first segment all the same, and files that could not
    ///   be removed go at the next start. When a sync failed, the log is closed to writers for good.
    /// - Complexity: One unlink for each segment, two syncs.
    @discardableResult
    package func trim(before position: Position) throws(LogError) -> Position {
        try self.checkOpen()
        guard let job = self.beginTrim(before: position) else { return self.store.first }
        switch job.perform() {
        case .done: break
        case .filesLeft(let error): throw error
        case .syncFailed(let error):
            self.fail()
            throw error
        }
        return self.store.first
    }

    /// Hides the segments below `position` from readers; what remains to be done is the job's, on any thread.
    ///
    /// - Returns: `nil` when nothing goes. One job at a time, and none while the log is closed.
    package func beginTrim(before position: Position) -> TrimJob? {
        let segments = self.store.segments
        let target = min(position.segment, self.durable.position.segment)
        guard let first = segments.first, target > first.id else { return nil }
        self.store.withLayout { $0.trimmed(before: target) }
        self.store.forgetRemovedDamage()
        self.store.descriptors.forget { $0 < target }
        return TrimJob(
            files: self.files, durableFile: self.durableFile, first: target,
            segments: segments.filter { $0.id < target }
        )
    }
}
