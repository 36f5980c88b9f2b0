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
            try self.rotate(bytes.span.bytes, to: next.tail.segment)
        } else {
            try self.put(bytes.span.bytes, at: Int(position.offset))
        }
        self.advance(to: next, marks: marks, begins: position.offset == 0)
    }

    private func advance(
        to next: FrameChain, marks: [(header: FrameHeader, position: Position)], begins: Bool
    ) {
        let segment = begins ? self.newLayoutSegment(next.tail.segment, firstIndex: self.chain.nextIndex) : nil
        self.chain = next
        self.store.withLayout { layout in
            if let segment { layout.began(segment) }
            layout.appended(chain: next, marks: marks)
        }
    }

    /// Makes the next segment ready under a temporary name, so that rotating does not wait for the disk, and the reserve.
    ///
    /// - Throws: ``LogError/noSpace`` or ``LogError/storage(_:)``; what there was no room for is made by the next call.
    ///   Client appends are to be refused until then: what is left is for frames that heal a full disk.
    package func prepareNextSegment() throws(LogError) {
        try self.checkOpen()
        try self.prepareNext()
        if self.isReserveMissing { self.reserve = try self.preparation(named: LogFiles.reserve).perform() }
    }

    private func prepareNext() throws(LogError) {
        if self.prepared == nil { self.prepared = try self.preparation(named: LogFiles.next).perform() }
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
        SegmentPreparation(
            files: self.files, name: name, byteCount: self.segmentByteCountMax, path: self.framePath)
    }

    private var indexSpacing: Int { Int(SegmentIndex(segmentByteCountMax: self.segmentByteCountMax).spacing) }

    private func newLayoutSegment(_ id: SegmentID, firstIndex: LogIndex) -> LogLayout.Segment {
        LogLayout.Segment(
            id: id, firstIndex: firstIndex, byteCount: 0,
            index: SegmentIndex(segmentByteCountMax: self.segmentByteCountMax)
        )
    }

    func put(_ bytes: RawSpan, at offset: Int) throws(LogError) {
        var isBroken = false
        defer { if isBroken { self.fail() } }
        try self.active.put(bytes, at: offset, isBroken: &isBroken)
    }

    /// Writes the start of the next segment and then gives it its name: the log is switched or as it was.
    private func rotate(_ bytes: RawSpan, to next: SegmentID) throws(LogError) {
        let prepared = try self.takePrepared()
        do throws(LogError) {
            try prepared.put(bytes)
            try self.files.rename(prepared.name, to: next.fileName)
            // A reader that came late to a segment of this number, since truncated, may have left its file there.
            self.store.descriptors.forget { $0 == next }
        } catch {
            // The next attempt makes a new one; what cannot be removed now is removed then, or at the next start.
            try? self.files.remove(prepared.name)
            throw error
        }
        // A sync that is being performed may be writing zeros where staged frames go: they wait for the next one.
        let staged = self.active.takeStaged()
        self.sealing.append(Sealing(file: self.active.file, staged: staged, point: self.chain.point))
        self.sealedStagedByteCount += staged?.bytes.count ?? 0
        self.active = prepared.active(as: next, written: bytes.byteCount)
        self.isDirectoryDirty = true
    }

    private func takePrepared() throws(LogError) -> PreparedSegment {
        do throws(LogError) {
            try self.prepareNext()
        } catch {
            guard error == .noSpace, let reserve = self.reserve else { throw error }
            self.reserve = nil
            return reserve
        }
        guard let prepared = self.prepared else { preconditionFailure("no segment was prepared") }
        self.prepared = nil
        return prepared
    }
}
