import DiskIO
import LogModel
import SegmentFormat

/// A good copy of a sealed segment on its way into the log.
///
///     000003.wal.repair.tmp --write, keep--> --verified--> VerifiedSegment --LogWriter.install--> 000003.wal
///
/// The log reads its own file until the copy takes its name; a crash before that leaves the file as it was, and the
/// next start removes the copy. One thread at a time, any thread: only ``LogWriter/install(_:)`` is the writer's.
package struct SegmentReplacement: Sendable {
    package let segment: SegmentID
    /// Bytes of the copy so far.
    package private(set) var byteCount = 0
    private let store: LogStore
    private let name: String
    private let file: any File

    /// Begins a copy; an unfinished one of the same segment goes.
    ///
    /// - Throws: ``LogError/trimmed(first:)``; ``LogError/beyondTail(tail:)`` for the active segment, which only its
    ///   writer may change; ``LogError/noSpace``, ``LogError/storage(_:)``.
    package init(of segment: SegmentID, in store: LogStore) throws(LogError) {
        _ = try store.segment(segment)
        _ = try store.segment(segment.next)
        self.segment = segment
        self.store = store
        self.name = segment.fileName + ".repair.tmp"
        if try store.files.list().contains(self.name) { try store.files.remove(self.name) }
        self.file = try store.files.open(self.name, .create)
    }

    /// Adds bytes from a good copy.
    ///
    /// - Throws: ``LogError/noSpace``, ``LogError/storage(_:)``: give it up with ``cancel()``.
    package mutating func write(_ bytes: Bytes) throws(LogError) {
        let offset = self.byteCount
        try disk { () throws(DiskError) in try self.file.write(bytes.span.bytes, at: offset) }
        self.byteCount += bytes.count
    }

    /// Adds the bytes up to `end` from the file that is to be replaced: for a repair of a range alone. Fewer when that
    /// file is shorter.
    package mutating func keep(upTo end: Int) throws(LogError) {
        let source = try self.store.files.open(self.segment, .read)
        while self.byteCount < end {
            let (offset, count) = (self.byteCount, min(end - self.byteCount, EngineLimits.scanWindowByteCount))
            let part = try disk { () throws(DiskError) in try source.read(at: offset, count: count) }
            if part.isEmpty { return }
            try self.write(part[...])
        }
    }

    package func cancel() {
        // What cannot be removed now goes at the next start.
        try? self.store.files.remove(self.name)
    }

    /// Checks the whole copy, its place between its neighbours included, and makes it durable.
    ///
    /// The next segment's header names the length and the last checksum of this one, and each frame names the one
    /// before; so what passes is what was written here once. The segment before is asked as well, unless it is
    /// damaged itself.
    ///
    /// - Throws: ``LogError/rejected(_:at:)`` with the place of the first misfit; ``LogError/laterFormat(file:version:)``
    ///   when the peer's release is a later one; ``LogError/damaged(_:)`` when the next segment's header is: repair that
    ///   one first. ``LogError/storage(_:)``, ``LogError/noSpace``.
    /// - Complexity: Reads the copy, and the segment before it; one sync.
    package func verified() throws(LogError) -> VerifiedSegment {
        let next = try self.store.header(of: self.segment.next)
        let bytes = try disk { () throws(DiskError) in try self.file.read(at: 0, count: SegmentHeader.byteCount) }
        let header: SegmentHeader
        do throws(FormatError) {
            header = try SegmentHeader.decode(bytes.span.bytes, of: self.store.cluster)
        } catch {
            throw LogError(headerOfCopy: error, of: self.segment)
        }
        var scan = SegmentScan(
            self.file, end: self.byteCount, chain: try self.chainBefore ?? SegmentScan.chain(before: header),
            index: SegmentIndex(segmentByteCountMax: self.store.segmentByteCountMax))
        try disk { () throws(DiskError) in try scan.run() }
        if header.segment != self.segment {
            throw self.rejected(.wrongSegment(expected: self.segment, found: header.segment), at: 0)
        }
        if let defect = scan.defect { throw self.rejected(defect, at: scan.goodByteCount) }
        guard scan.goodByteCount == self.byteCount else { throw self.rejected(.endOfData, at: scan.goodByteCount) }
        var chain = scan.chain
        do throws(FrameDefect) {
            _ = try chain.acceptSegmentHeader(next.encoded().span.bytes)
        } catch {
            throw self.rejected(error, at: self.byteCount)
        }
        try disk { () throws(DiskError) in try self.file.sync() }
        return VerifiedSegment(header: header, byteCount: self.byteCount, next: next, name: self.name)
    }

    /// Where the segment before ends; `nil` when there is none, or it is damaged.
    private var chainBefore: FrameChain? {
        get throws(LogError) {
            guard self.segment > self.store.first.segment else { return nil }
            do throws(LogError) {
                let before = try self.store.segment(SegmentID(self.segment.rawValue - 1))
                return try self.store.chain(at: Position(segment: before.id, offset: before.byteCount))
            } catch {
                guard case .damaged = error else { throw error }
                return nil
            }
        }
    }

    private func rejected(_ defect: FrameDefect, at offset: Int) -> LogError {
        .rejected(FrameFault(defect), at: Position(segment: self.segment, offset: UInt32(clamping: offset)))
    }
}

/// A copy that was found to be the segment, and is synced; see ``LogWriter/install(_:)``.
package struct VerifiedSegment: Sendable {
    let header: SegmentHeader
    package let byteCount: Int
    /// Of the segment behind, as it was when this one was checked.
    let next: SegmentHeader
    let name: String

    package var firstIndex: LogIndex { self.header.firstIndex }
}

extension LogWriter {
    /// Puts a good copy of a sealed segment into the place of its file, and lifts the quarantine on it.
    ///
    /// Readers that are in the old file finish there. A crash leaves the old file or the new one, both under the
    /// segment's name.
    ///
    /// - Throws: ``LogError/trimmed(first:)``, ``LogError/beyondTail(tail:)``, ``LogError/rejected(_:at:)`` when the
    ///   log around it was cut meanwhile; ``LogError/storage(_:)`` from the rename: the log is as it was, and the copy is
    ///   gone. When the directory's sync failed, the log is closed to writers for good.
    /// - Complexity: One rename, one sync of the directory.
    package func install(_ verified: VerifiedSegment) throws(LogError) {
        try self.checkOpen()
        let id = verified.header.segment
        do throws(LogError) {
            try self.checkPlace(of: verified)
            try self.files.rename(verified.name, to: id.fileName)
        } catch {
            // What cannot be removed now goes at the next start.
            try? self.files.remove(verified.name)
            throw error
        }
        self.store.withLayout { $0.repaired(verified.header, byteCount: verified.byteCount) }
        do throws(LogError) {
            try self.files.syncDirectory()
        } catch {
            self.fail()
            throw error
        }
        self.store.repaired(id, 0..<Int.max)
    }

    private func checkPlace(of verified: VerifiedSegment) throws(LogError) {
        let id = verified.header.segment
        _ = try self.store.segment(id)
        guard id < self.durable.position.segment else { throw .beyondTail(tail: self.chain.tail) }
        let next = try self.store.header(of: id.next)
        guard next == verified.next else {
            let defect = FrameDefect.brokenChain(
                expected: verified.next.previousChecksum, found: next.previousChecksum)
            throw .rejected(FrameFault(defect), at: Position(segment: id.next, offset: 0))
        }
    }

    /// Replaces a sealed segment with what `read` gives, checked as ``SegmentReplacement/verified()`` says.
    ///
    /// - Parameter read: Up to `count` bytes of a good copy from an offset; empty at its end.
    package func replaceSegment(
        _ id: SegmentID, reading read: (_ offset: Int, _ count: Int) throws(LogError) -> Bytes
    ) throws(LogError) {
        var replacement = try SegmentReplacement(of: id, in: self.store)
        do throws(LogError) {
            while true {
                let part = try read(replacement.byteCount, EngineLimits.scanWindowByteCount)
                if part.isEmpty { break }
                try replacement.write(part)
            }
            try self.install(try replacement.verified())
        } catch {
            replacement.cancel()
            throw error
        }
    }
}
