import DiskIO
import LogModel
import SegmentFormat

extension OpenedLog {
    /// Finds the tail, cuts what was never synced and goes over to normal work; or refuses.
    ///
    /// - Parameter found: What DURABLE says; `nil` when it is unreadable, and then nothing counts as damage.
    mutating func recover(cluster: ClusterID, found: DurableRecord?) throws(LogError) {
        self.report.wasClosedCleanly = found?.isClean ?? false
        self.report.durableBefore = found?.durable.position
        var segments = LogFiles.segments(in: try self.files.list())
        let first = found?.first ?? segments.first ?? .first
        // A trim that was begun is finished.
        for segment in segments where segment < first { try self.files.remove(segment.fileName) }
        segments.removeAll { $0 < first }

        var recovery = LogRecovery(
            files: self.files, cluster: cluster, segmentByteCountMax: self.configuration.segmentByteCountMax,
            durable: found?.durable.position
        )
        try recovery.run(segments, first: first)
        if let damage = recovery.damage {
            guard self.configuration.recovery == .tolerateDamage else { throw .damaged(damage) }
            recovery = try self.setAside(damage, segments: segments, first: first, cluster: cluster)
            segments.removeAll { $0 > recovery.chain.tail.segment }
        }
        guard !recovery.layout.isEmpty else { throw .damaged(Damage(first, 0..<0, .missing)) }
        self.report.scannedFrameCount = recovery.scannedFrameCount
        self.report.scannedByteCount = recovery.scannedByteCount
        try self.cutTail(recovery, segments: segments)
        try self.makeDurable(recovery, found: found)
        let layout = LogLayout(
            segments: recovery.layout, tail: recovery.chain.point, nextIndex: recovery.chain.nextIndex)
        self.files.removeIndexFiles(except: recovery.layout.dropLast().map(\.id))
        try self.start(layout, recovery.chain)
    }

    /// Removes what lies behind the tail: segments highest first, then loose bytes of the last one.
    private mutating func cutTail(_ recovery: LogRecovery, segments: [SegmentID]) throws(LogError) {
        let tail = recovery.chain.tail
        let behind = segments.filter { $0 > tail.segment }
        var byteCount = recovery.looseByteCount
        for segment in behind.reversed() {
            let file = try self.files.open(segment, .read)
            byteCount += try disk { () throws(DiskError) in
                var window = FrameWindow(file, end: try file.byteCount())
                return try window.endOfNonZero(from: 0)
            }
            try self.files.remove(segment.fileName)
        }
        if !behind.isEmpty { try self.files.syncDirectory() }
        for (segment, length) in recovery.unfinished { try self.finalize(segment, byteCount: length) }
        if recovery.looseByteCount > 0 {
            try self.finalize(tail.segment, byteCount: Int(tail.offset))
        }
        if byteCount > 0 || !behind.isEmpty {
            self.report.cut = RecoveryReport.Cut(
                from: tail, byteCount: byteCount, segmentCount: behind.count,
                fault: recovery.stop.map { FrameFault($0) }
            )
        }
    }

    private func finalize(_ segment: SegmentID, byteCount: Int) throws(LogError) {
        let file = try self.files.open(segment, .write)
        try disk { () throws(DiskError) in
            try file.truncate(to: byteCount)
            try file.sync()
        }
    }

    /// What was read may be in the kernel's memory only: after this, everything up to the tail is durable.
    private mutating func makeDurable(_ recovery: LogRecovery, found: DurableRecord?) throws(LogError) {
        let unsynced = recovery.layout.filter { $0.id >= (found?.durable.position.segment ?? .first) }
        for segment in unsynced {
            let file = try self.files.open(segment.id, .write)
            try disk { () throws(DiskError) in try file.sync() }
        }
        try self.files.syncDirectory()
        let tail = recovery.chain.point
        let founding = recovery.layout[0].id
        let commit = min(try self.commit(found, first: founding), tail.position)
        self.commit = commit
        try self.durableFile.reset {
            $0 = DurableRecord(durable: tail, commit: commit, first: founding, isClean: false)
        }
    }

    /// What is committed for sure when DURABLE does not say: a log is trimmed only up to where it is committed.
    private func commit(_ found: DurableRecord?, first segment: SegmentID) throws(LogError) -> Position {
        if let found { return found.commit }
        let start = Position(segment: segment, offset: UInt32(SegmentHeader.byteCount))
        let file = try self.files.open(segment, .read)
        let bytes = try disk { () throws(DiskError) in
            try file.read(at: Int(start.offset), count: FrameHeader.producerByteCount)
        }
        let checkpoint = try? FrameHeader.decode(bytes.span.bytes)
        return start.advanced(by: Int(checkpoint?.length ?? 0))
    }

    /// Keeps everything from the damage on beside the log, and recovers the part before it as if it were all.
    private mutating func setAside(
        _ damage: Damage, segments: [SegmentID], first: SegmentID, cluster: ClusterID
    ) throws(LogError) -> LogRecovery {
        guard damage.segment > first || damage.range.lowerBound > 0 else { throw .damaged(damage) }
        self.report.damage.append(damage)
        self.mayVote = false
        try self.votes?.bar()
        for segment in segments.reversed() where segment >= damage.segment {
            let copy = segment.fileName + ".damaged"
            if segment == damage.segment, damage.range.lowerBound > 0 {
                try self.copy(segment.fileName, to: copy)
            } else {
                try self.files.rename(segment.fileName, to: copy)
            }
        }
        try self.files.syncDirectory()
        let kept = LogFiles.segments(in: try self.files.list())
        var recovery = LogRecovery(
            files: self.files, cluster: cluster, segmentByteCountMax: self.configuration.segmentByteCountMax,
            durable: nil
        )
        try recovery.run(kept, first: first)
        if let damage = recovery.damage { throw .damaged(damage) }
        return recovery
    }

    private func copy(_ name: String, to copy: String) throws(LogError) {
        let source = try self.files.open(name, .read)
        if try self.files.list().contains(copy) { try self.files.remove(copy) }
        let target = try self.files.open(copy, .create)
        try disk { () throws(DiskError) in
            var offset = 0
            while true {
                let part = try source.read(at: offset, count: EngineLimits.scanWindowByteCount)
                if part.isEmpty { break }
                try target.write(part.span.bytes, at: offset)
                offset += part.count
            }
            try target.sync()
        }
    }
}
