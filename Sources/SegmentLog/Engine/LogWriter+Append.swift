import DiskIO
import LogModel
import SegmentFormat
import SystemPackage

extension LogWriter {
    /// Writes whole frames of one segment at the tail, every one checked first: checksums, chain, index, term.
    ///
    /// - Parameters:
    ///   - bytes: At offset 0 of the next segment they begin with its header and checkpoint: this rotates.
    ///   - position: The tail, or (next segment, 0).
    /// - Throws: ``LogError/notTheTail(tail:)``, ``LogError/rejected(_:at:)``, ``LogError/noSpace``,
    ///   ``LogError/storage(_:)``; the log is then as it was. ``LogError/failed``, ``LogError/closed``.
    /// - Complexity: One write; when rotating, a rename more, and the preparation if that was not done before.
    package func append(_ bytes: Bytes, at position: Position) throws(LogError) {
        try self.checkOpen()
        guard !bytes.isEmpty else { return }
        var next = self.chain
        var marks: [(header: FrameHeader, position: Position)] = []
        var lastMark = -Int.max
        let spacing = self.indexSpacing
        do throws(FrameDefect) {
            try next.accept(range: bytes, at: position) { header, _, position in
                // Only what the sparse index can use is kept.
                guard Int(position.offset) >= lastMark + spacing else { return }
                lastMark = Int(position.offset)
                marks.append((header, position))
            }
        } catch {
            if case .wrongPosition = error { throw .notTheTail(tail: self.chain.tail) }
            throw .rejected(FrameFault(error), at: next.tail)
        }
        guard !next.isAtSegmentStart else {
            throw .rejected(FrameFault(.format(.truncated(needed: FrameHeader.byteCount, available: 0))), at: next.tail)
        }
        if position.offset == 0 {
            try self.rotate(bytes, to: next)
        } else {
            try self.write(bytes)
        }
        let firstIndex = self.chain.nextIndex
        let layoutSegment = self.newLayoutSegment(next.tail.segment, firstIndex: firstIndex)
        self.chain = next
        let entries = marks
        self.store.withLayout { layout in
            if position.offset == 0 { layout.began(layoutSegment) }
            layout.appended(chain: next, marks: entries)
        }
        self.zeroAhead()
    }

    /// Makes the next segment ready under a temporary name, so that rotating does not wait for the disk.
    ///
    /// - Throws: ``LogError/noSpace`` or ``LogError/storage(_:)``; nothing is left behind.
    package func prepareNextSegment() throws(LogError) {
        try self.checkOpen()
        guard self.prepared == nil else { return }
        self.prepared = try self.preparation(named: LogFiles.next).perform()
    }

    /// What ``prepareNextSegment()`` does, under another name: for another thread, to be handed to ``adopt(_:)``.
    package var backgroundPreparation: SegmentPreparation { self.preparation(named: LogFiles.spare) }

    /// Takes over a segment that another thread prepared; one too many goes.
    package func adopt(_ prepared: PreparedSegment) {
        if self.condition == .open, self.prepared == nil {
            self.prepared = prepared
        } else {
            // What cannot be removed now goes at the next start.
            try? self.files.remove(prepared.name)
        }
    }

    private func preparation(named name: String) -> SegmentPreparation {
        SegmentPreparation(files: self.files, name: name, byteCount: self.segmentByteCountMax)
    }

    private var indexSpacing: Int { Int(SegmentIndex(segmentByteCountMax: self.segmentByteCountMax).spacing) }

    private func newLayoutSegment(_ id: SegmentID, firstIndex: LogIndex) -> LogLayout.Segment {
        LogLayout.Segment(
            id: id, firstIndex: firstIndex, byteCount: 0,
            index: SegmentIndex(segmentByteCountMax: self.segmentByteCountMax)
        )
    }

    private func write(_ bytes: Bytes) throws(LogError) {
        let offset = Int(self.chain.tail.offset)
        do throws(DiskError) {
            try self.active.file.write(bytes.span.bytes, at: offset)
        } catch {
            try self.takeBack(to: offset)
            throw LogError(error)
        }
        self.active.zeroed = max(self.active.zeroed, offset + bytes.count)
        self.active.allocated = max(self.active.allocated, offset + bytes.count)
    }

    /// Removes what a refused write may have left. Shortening the file needs no space.
    private func takeBack(to offset: Int) throws(LogError) {
        do throws(DiskError) {
            try self.active.file.truncate(to: offset)
        } catch {
            self.fail()
            throw LogError(error)
        }
        self.active.allocated = offset
        self.active.zeroed = offset
    }

    /// Writes the start of the next segment and then gives it its name: the log is switched or as it was.
    private func rotate(_ bytes: Bytes, to next: FrameChain) throws(LogError) {
        try self.prepareNextSegment()
        guard let prepared = self.prepared else { preconditionFailure("no segment was prepared") }
        do throws(LogError) {
            try disk { () throws(DiskError) in try prepared.file.write(bytes.span.bytes, at: 0) }
            try self.files.rename(prepared.name, to: next.tail.segment.fileName)
        } catch {
            // The next attempt makes a new one; what cannot be removed now is removed then, or at the next start.
            self.prepared = nil
            try? self.files.remove(prepared.name)
            throw error
        }
        self.prepared = nil
        let full = Int(self.chain.tail.offset)
        self.sealing.append(Sealing(file: self.active.file, segment: self.active.segment, byteCount: full))
        self.active = Active(
            file: prepared.file, segment: next.tail.segment, allocated: max(self.segmentByteCountMax, bytes.count),
            zeroed: max(SegmentPreparation.zeroed(of: self.segmentByteCountMax), bytes.count)
        )
        self.isDirectoryDirty = true
    }

    /// Writes zeros ahead of the tail: a sync is cheaper when no new block has to be entered in the file.
    private func zeroAhead() {
        let tail = Int(self.chain.tail.offset)
        let step = EngineLimits.zeroAheadByteCount
        guard tail + step / 2 > self.active.zeroed, self.active.zeroed < self.active.allocated else { return }
        let start = max(tail, self.active.zeroed)
        let end = min((start / step + 1) * step, self.active.allocated)
        guard end > start else { return }
        let zeros = [UInt8](repeating: 0, count: end - start)
        // Only an economy: a disk that refuses will say so to the append that needs the place.
        if (try? self.active.file.write(zeros.span.bytes, at: start)) != nil { self.active.zeroed = end }
    }
}

/// Makes the next segment under a temporary name. A value, so that any thread can do it while appends go on.
package struct SegmentPreparation: Sendable {
    let files: LogFiles
    let name: String
    let byteCount: Int

    static func zeroed(of byteCount: Int) -> Int { min(EngineLimits.zeroAheadByteCount, byteCount) }

    /// - Throws: ``LogError/noSpace`` or ``LogError/storage(_:)``; nothing is left behind.
    package func perform() throws(LogError) -> PreparedSegment {
        let path = self.files.path(self.name)
        do throws(DiskError) {
            do throws(DiskError) {
                return PreparedSegment(file: try self.make(path), name: self.name)
            } catch  where error.errno == .fileExists {
                try self.files.fileSystem.remove(path)
                return PreparedSegment(file: try self.make(path), name: self.name)
            }
        } catch {
            try? self.files.fileSystem.remove(path)
            throw LogError(error)
        }
    }

    private func make(_ path: FilePath) throws(DiskError) -> any File {
        let file = try self.files.fileSystem.open(path, .create)
        try file.allocate(byteCount: self.byteCount)
        let zeros = [UInt8](repeating: 0, count: Self.zeroed(of: self.byteCount))
        try file.write(zeros.span.bytes, at: 0)
        return file
    }
}

/// The next segment, allocated under a temporary name.
package struct PreparedSegment: Sendable {
    let file: any File
    let name: String
}
