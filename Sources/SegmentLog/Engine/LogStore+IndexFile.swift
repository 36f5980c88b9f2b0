import DiskIO
import LogModel
import SegmentFormat

extension LogStore {
    /// Writes the sparse index of a sealed segment beside it, so that a later process need not walk the segment.
    ///
    /// Never synced: a file that is missing, stale or torn costs time only. Any thread; at most one at a time for a
    /// segment.
    ///
    /// - Returns: Whether it was written: not for the active segment, nor one that is not there.
    /// - Throws: ``LogError/noSpace``, ``LogError/storage(_:)``, ``LogError/damaged(_:)``; nothing is left behind.
    /// - Complexity: One write of at most 48 KiB and a rename. Appending leaves the index in memory; what of it is not
    ///   there, because the log was opened meanwhile or many other segments were looked into, is walked.
    @discardableResult
    package func writeIndexFile(of segment: SegmentID) throws(LogError) -> Bool {
        let (truncations, isSealed) = self.withLayout {
            ($0.truncations, $0.extent(of: segment) != nil && $0.tail.position.segment > segment)
        }
        guard isSealed else { return false }
        let file = try self.undisturbed(of: segment) { () throws(LogError) in try self.indexFile(of: segment) }
        guard let file else { return false }
        try self.files.writeIndexFile(file)
        // A segment that went meanwhile leaves none behind.
        let isCurrent = self.withLayout { $0.truncations == truncations && $0.extent(of: segment) != nil }
        if !isCurrent { self.files.removeIndexFile(of: segment) }
        return isCurrent
    }

    private func indexFile(of id: SegmentID) throws(LogError) -> SegmentIndexFile? {
        for isWalked in [false, true] {
            if isWalked { _ = try self.seek(in: id, below: .max, from: { _ in true }, until: { _ in false }) }
            guard let segment = self.withLayout({ $0.segment(id) }) else { return nil }
            guard segment.index.covered == segment.byteCount else { continue }
            return SegmentIndexFile(
                segment: id, segmentByteCount: segment.byteCount, spacing: segment.index.spacing,
                marks: segment.index.marks)
        }
        return nil
    }

    /// The index of a segment: from memory, or from its file when it is asked for the first time.
    func index(of segment: LogLayout.Segment, _ truncations: UInt64) -> SegmentIndex {
        guard segment.index.marks.isEmpty else { return segment.index }
        let loaded = try? self.files.contents(segment.id.indexFileName, byteCountMax: SegmentIndexFile.byteCountMax + 1)
        guard
            let loaded, let file = try? SegmentIndexFile.decode(loaded.span.bytes), file.segment == segment.id,
            file.segmentByteCount == segment.byteCount
        else { return segment.index }
        let index = SegmentIndex(file)
        self.withLayout { $0.adopt(index, of: segment.id, end: segment.byteCount, truncations: truncations) }
        return index
    }
}

extension LogFiles {
    fileprivate func writeIndexFile(_ file: SegmentIndexFile) throws(LogError) {
        let name = file.segment.indexFileName
        let temporary = name + ".tmp"
        // Left by an attempt that was cut off.
        try? self.remove(temporary)
        do throws(LogError) {
            let target = try self.open(temporary, .create)
            let bytes = file.encoded()
            try disk { () throws(DiskError) in try target.write(bytes.span.bytes, at: 0) }
            try self.rename(temporary, to: name)
        } catch {
            try? self.remove(temporary)
            throw error
        }
    }

    /// A hint that stays is never trusted, so a refusal changes nothing.
    func removeIndexFile(of segment: SegmentID) { try? self.remove(segment.indexFileName) }

    /// Removes the index files of segments that are not there, or not sealed.
    func removeIndexFiles(except sealed: some Sequence<SegmentID>) {
        let kept = Set(sealed.map(\.indexFileName))
        guard let names = try? self.list() else { return }
        for name in names where Self.isIndex(name) && !kept.contains(name) {
            try? self.remove(name)
        }
    }
}

extension SegmentID {
    static let indexFileSuffix = ".idx"
    /// `000001.idx`
    var indexFileName: String { String(self.fileName.dropLast(4)) + Self.indexFileSuffix }
}
