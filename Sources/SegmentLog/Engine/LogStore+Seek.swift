import DiskIO
import LogModel
import SegmentFormat

extension LogStore {
    /// The position of the frame that holds a record.
    ///
    /// - Returns: `nil` when the record is not written yet.
    /// - Throws: ``LogError/trimmed(first:)``, ``LogError/damaged(_:)``, ``LogError/storage(_:)``.
    /// - Complexity: O(log n) in memory, then frame headers of at most one index spacing (a segment that was not
    ///   looked into yet: from its start).
    package func position(of index: LogIndex) throws(LogError) -> Position? {
        let (segment, next, first, truncations) = self.withLayout {
            ($0.segment(holding: index), $0.nextIndex, $0.first, $0.truncations)
        }
        guard index < next else { return nil }
        guard let segment else { throw .trimmed(first: first) }
        let start = segment.index.floor { $0.firstIndex <= index }
        return try self.walkHeaders(of: segment, from: start, truncations) {
            $0.nextIndex > index && $0.recordCount > 0
        }
    }

    /// The position of the first frame that is not older than `timestamp`; `nil` when all are.
    ///
    /// - Complexity: As ``position(of:)``, and one header read for each step of a search over the segments.
    package func positionAtOrAfter(_ timestamp: Timestamp) throws(LogError) -> Position? {
        let (segments, truncations) = self.withLayout { ($0.segments, $0.truncations) }
        // The last segment that begins before the timestamp, and the one behind it.
        var low = 0
        var high = segments.count
        while low < high {
            let middle = (low + high) / 2
            let checkpoint = try self.firstFrame(of: segments[middle], truncations)
            if checkpoint.timestamp < timestamp { low = middle + 1 } else { high = middle }
        }
        for segment in segments[max(0, low - 1)...] {
            let start = segment.index.floor { $0.timestamp < timestamp }
            let found = try self.walkHeaders(of: segment, from: start, truncations) { $0.timestamp >= timestamp }
            if let found { return found }
        }
        return nil
    }

    private func firstFrame(of segment: LogLayout.Segment, _ truncations: UInt64) throws(LogError) -> FrameHeader {
        var first: FrameHeader?
        _ = try self.walkHeaders(of: segment, from: UInt32(SegmentHeader.byteCount), truncations) { header in
            first = header
            return true
        }
        guard let first else {
            throw .damaged(Damage(segment.id, SegmentHeader.byteCount..<Int(segment.byteCount), .lost))
        }
        return first
    }

    /// The position of the first frame from `start` on that is wanted. Notes what it passes in the sparse index.
    private func walkHeaders(
        of segment: LogLayout.Segment, from start: UInt32, _ truncations: UInt64,
        until isWanted: (FrameHeader) -> Bool
    ) throws(LogError) -> Position? {
        try self.quarantine.checkPresence(of: segment.id)
        let file = try self.descriptors.file(of: segment.id)
        let end = Int(segment.byteCount)
        var window = FrameWindow(file, end: end, windowByteCount: EngineLimits.seekWindowByteCount)
        var passed = segment.index
        var offset = Int(start)
        var found: Position?
        while offset < end {
            let header = try self.header(at: offset, in: &window, of: segment.id)
            let position = Position(segment: segment.id, offset: UInt32(offset))
            passed.note(header, at: position.offset)
            if isWanted(header) {
                found = position
                break
            }
            offset += Int(header.length)
        }
        // Damaged ranges are walked through as long as the headers in them are good. What is found in one is not to
        // be had; and where nothing is found, it may have been in one.
        let walkedRange = found.map { Int($0.offset)..<Int($0.offset) + 1 } ?? min(Int(start), end)..<end
        try self.quarantine.check(walkedRange, of: segment.id)
        let walked = passed
        self.withLayout { $0.adopt(walked, of: segment.id, end: segment.byteCount, truncations: truncations) }
        return found
    }

    private func header(
        at offset: Int, in window: inout FrameWindow, of segment: SegmentID
    ) throws(LogError) -> FrameHeader {
        let bytes: ArraySlice<UInt8>
        do throws(DiskError) {
            bytes = try window.bytes(at: offset, count: FrameHeader.producerByteCount)
        } catch {
            throw LogError(error)
        }
        do throws(FormatError) {
            guard let header = try FrameHeader.decode(bytes.span.bytes) else {
                throw .truncated(needed: FrameHeader.byteCount, available: 0)
            }
            return header
        } catch {
            throw .damaged(Damage(segment, offset..<window.end, .fault(FrameFault(.format(error)))))
        }
    }
}
