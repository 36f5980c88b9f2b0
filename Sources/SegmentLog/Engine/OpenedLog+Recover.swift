import DiskIO
import LogModel
import SegmentFormat

extension OpenedLog {
    /// Finds the tail, cuts what was never synced and goes over to normal work; or refuses.
    ///
    /// Nothing on disk is changed before it is clear what the log is. A refusal of the disk in between leaves what the
    /// next opening takes up: each step is one that a crash may end.
    ///
    /// - Parameters:
    ///   - found: What DURABLE says; `nil` when it is unreadable, and then nothing counts as damage.
    ///   - readings: Headers as they stand in the segments' files.
    mutating func recover(
        cluster: ClusterID, found: DurableRecord?, readings: [SegmentID: HeaderReading]
    ) throws(LogError) {
        self.report.wasClosedCleanly = found?.isClean ?? false
        self.report.durableBefore = found?.durable.position
        self.vouched = self.vouched(found)
        var segments = LogFiles.segments(in: try self.files.list())
        let first = found?.first ?? self.beginning(of: segments)
        let trimmed = segments.filter { $0 < first }
        segments.removeAll { $0 < first }

        let recovery: LogRecovery
        if let givenUp = self.configuration.givenUp {
            guard
                let kept = try self.recover(
                    without: givenUp, &segments, first: first, cluster: cluster, isSyncedKnown: found != nil)
            else { return }
            recovery = kept
        } else {
            recovery = try self.recoverAll(
                &segments, first: first, cluster: cluster, found: found, readings: readings)
        }
        guard !recovery.layout.isEmpty, recovery.damage.isEmpty ? !recovery.isEmpty : true else {
            throw .damaged(Damage(first, 0..<0, segments.contains(first) ? .lost : .missing))
        }
        self.report.scanned = recovery.scanned
        self.report.keptUnsynced = recovery.keptAbove
        // A trim that was begun is finished.
        for segment in trimmed { try self.files.remove(segment.fileName) }
        self.report.trimmedSegmentCount = trimmed.count
        // Before the first sync: should it fail, the next start must not take what is in memory for what is on disk.
        // Where DURABLE said nothing, it goes on saying so until all of it is known.
        if !recovery.wasTakenUp, found != nil { self.durableFile.update { $0.isSyncOpen = true } }
        try self.cutTail(recovery, segments: segments)
        try self.makeDurable(recovery, found: found)
        self.state = recovery.state
        let layout = LogLayout(
            segments: recovery.layout, tail: recovery.chain.point, nextIndex: recovery.chain.nextIndex)
        self.files.removeIndexFiles(except: recovery.layout.dropLast().map(\.id))
        try self.start(layout, recovery.chain)
    }

    /// - Parameter segments: Those that may belong to the log; what is kept aside leaves it.
    private mutating func recoverAll(
        _ segments: inout [SegmentID], first: SegmentID, cluster: ClusterID, found: DurableRecord?,
        readings: [SegmentID: HeaderReading]
    ) throws(LogError) -> LogRecovery {
        let mode = self.configuration.recovery
        var recovery = LogRecovery(
            files: self.files, readings: readings, cluster: cluster,
            segmentByteCountMax: self.configuration.segmentByteCountMax, record: found,
            followsState: self.votes == nil, passesDamage: mode == .quarantineDamage
        )
        try recovery.run(segments, first: first)
        try self.refuseForeign(segments.filter { $0 > recovery.chain.tail.segment }, cluster: cluster)
        if let damage = recovery.damage.first {
            guard mode != .refuseDamage else { throw .damaged(damage) }
            if let blocking = recovery.blocking, mode == .quarantineDamage { throw .damaged(blocking) }
            self.report.damage = recovery.damage
            try self.barFromVoting(recovery.damage, found: found)
            if mode == .tolerateDamage {
                recovery = try self.setAside(
                    damage, cluster: cluster, segments: segments, first: first, isSyncedKnown: found != nil)
                segments.removeAll { $0 > recovery.chain.tail.segment }
            }
        } else if found == nil, !recovery.isEmpty, let unknown = recovery.unknownTail(segments) {
            // Synced or not, nobody can tell: nothing of it is lost.
            if mode == .tolerateDamage { self.report.damage = [unknown] }
            try self.keepAside(recovery, segments: segments)
            segments.removeAll { $0 > recovery.chain.tail.segment }
        }
        return recovery
    }

    /// Where the log begins when DURABLE does not say: a log of its own with what is there, since nothing else tells
    /// what was trimmed.
    private func beginning(of segments: [SegmentID]) -> SegmentID {
        self.votes == nil ? segments.first ?? .first : self.files.firstSegment(of: segments)
    }

    /// Damage below the stored commit is only refetched; above it, this node may have lost what it vouched for.
    private func barFromVoting(_ damage: [Damage], found: DurableRecord?) throws(LogError) {
        let isAbove = damage.contains { $0.end > found?.commit ?? .zero }
        guard isAbove || self.configuration.recovery == .tolerateDamage else { return }
        try self.votes?.barUntilLevel(vouched: self.vouched)
    }

    /// What this node may have acknowledged, if that is known: DURABLE is exact after a clean stop; after a power cut it may
    /// be a second behind, and under `os` what was not synced was acknowledged, too.
    func vouched(_ found: DurableRecord?) -> LogPoint? {
        guard let found, found.isClean, self.configuration.policy != .os else { return self.configuration.vouched }
        return found.durable
    }

    /// Segments of another cluster are nobody's tail here.
    private func refuseForeign(_ segments: [SegmentID], cluster: ClusterID) throws(LogError) {
        for segment in segments {
            // What cannot be read says nothing.
            let file = try self.files.open(segment, .read)
            guard let bytes = try? file.read(at: 0, count: SegmentHeader.byteCount),
                let header = try? SegmentHeader.decode(bytes.span.bytes), header.cluster != cluster
            else { continue }
            throw .foreignDirectory(.cluster(found: header.cluster, expected: cluster))
        }
    }

    /// Removes what lies behind the tail: segments highest first, then loose bytes of the last one. Segments with a gap
    /// before them were never part of this log's tail, whatever they are: they are set aside.
    private mutating func cutTail(_ recovery: LogRecovery, segments: [SegmentID]) throws(LogError) {
        let tail = recovery.chain.tail
        let later = segments.filter { $0 > tail.segment }
        let behind = zip(later, 1...).prefix { $0.rawValue == tail.segment.rawValue + $1 }.map(\.0)
        var stray: [String] = []
        for segment in later.dropFirst(behind.count).reversed() { stray.append(try self.setAside(segment)) }
        var extent = recovery.loose
        for segment in behind.reversed() {
            let file = try self.files.open(segment, .read)
            let end = try disk { () throws(DiskError) in
                var window = FrameWindow(file, end: try file.byteCount())
                return try window.endOfNonZero(from: 0)
            }
            extent.byteCount += end
            extent.frameCount += try LooseFrames.count(in: file, from: SegmentHeader.byteCount, end: end)
            try self.files.remove(segment.fileName)
        }
        if !later.isEmpty { try self.files.syncDirectory() }
        for (segment, length) in recovery.unfinished { try self.finalize(segment, byteCount: length) }
        self.report.finalizedSegmentCount = recovery.unfinished.count
        if recovery.loose.byteCount > 0 { try self.finalize(tail.segment, byteCount: Int(tail.offset)) }
        defer { self.report.setAside = (self.report.setAside + stray).sorted() }
        // What was set aside is told by its damage.
        guard extent.byteCount > 0 || !behind.isEmpty, self.report.setAside.isEmpty else { return }
        self.report.cut = RecoveryReport.Cut(
            from: tail, byteCount: extent.byteCount, frameCount: extent.frameCount, segmentCount: behind.count,
            fault: recovery.stop.map { FrameFault($0) }
        )
    }

    private func finalize(_ segment: SegmentID, byteCount: Int) throws(LogError) {
        let file = try self.files.open(segment, .write)
        try disk { () throws(DiskError) in
            try file.truncate(to: byteCount)
            try file.sync()
        }
    }

    /// What was read may be in the kernel's memory only: after this, everything up to the tail is durable.
    ///
    /// A sync alone would not do. Where an earlier one failed, pages that never reached the disk count as clean, and no
    /// sync carries them (Rebello et al., ATC '20): they are written again, when DURABLE says that a sync is not known to have
    /// succeeded. That is what is above the durable position; the rest was carried.
    private mutating func makeDurable(_ recovery: LogRecovery, found: DurableRecord?) throws(LogError) {
        if !recovery.wasTakenUp {
            let isWrittenAgain = found?.isSyncOpen ?? true
            let synced = found?.durable.position ?? Position(segment: recovery.chain.tail.segment, offset: 0)
            let unsynced = recovery.layout.filter { $0.id >= (found?.durable.position.segment ?? .first) }
            let missing = Set(recovery.damage.filter { $0.kind == .missing }.map(\.segment))
            for segment in unsynced where !missing.contains(segment.id) {
                let file = try self.files.open(segment.id, .write)
                let start = segment.id == synced.segment ? Int(synced.offset) : segment.id > synced.segment ? 0 : nil
                try disk { () throws(DiskError) in
                    if let start, isWrittenAgain { try Self.writeAgain(file, from: start, to: Int(segment.byteCount)) }
                    try file.sync()
                }
            }
            try self.files.syncDirectory()
        }
        let tail = recovery.chain.point
        let founding = recovery.layout[0].id
        let commit = min(self.commit(found, first: founding), tail.position)
        self.commit = commit
        let boot = self.vouchingBoot
        try self.durableFile.reset {
            $0 = DurableRecord(durable: tail, commit: commit, first: founding, isClean: false, boot: boot)
        }
    }

    /// Writes what is there once more, so that a sync carries it that an earlier, failed one has left behind.
    static func writeAgain(_ file: any File, from start: Int, to end: Int) throws(DiskError) {
        var offset = start
        while offset < end {
            let part = try file.read(at: offset, count: min(EngineLimits.scanWindowByteCount, end - offset))
            if part.isEmpty { return }
            try file.write(part.span.bytes, at: offset)
            offset += part.count
        }
    }

    /// What is committed for sure when DURABLE does not say: a log is trimmed only up to where it is committed.
    private func commit(_ found: DurableRecord?, first segment: SegmentID) -> Position {
        if let found { return found.commit }
        let start = Position(segment: segment, offset: UInt32(SegmentHeader.byteCount))
        let bytes = try? self.files.open(segment, .read)
            .read(at: Int(start.offset), count: FrameHeader.producerByteCount)
        guard let bytes, let checkpoint = try? FrameHeader.decode(bytes.span.bytes) else { return start }
        return start.advanced(by: Int(checkpoint.length))
    }
}
