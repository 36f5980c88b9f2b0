import DiskIO
import LogModel
import SegmentFormat

extension LogStore {
    /// The position of the frame that holds a record.
    ///
    /// - Parameter end: Nothing from there on is looked at, since it may not be in the files yet. Asked for once it is known
    ///   which truncations there were.
    /// - Returns: `nil` when the record does not stand below `end`.
    /// - Throws: ``LogError/trimmed(first:)``, ``LogError/damaged(_:)``, ``LogError/storage(_:)``.
    /// - Complexity: O(log n) in memory, then frame headers of at most one index spacing. A segment without an index
    ///   is walked from its start, once.
    package func position(
        of index: LogIndex, below end: () -> Position = { .max }
    ) throws(LogError) -> Position? {
        let (segment, next, first) = self.withLayout { ($0.segment(holding: index), $0.nextIndex, $0.first) }
        guard index < next else { return nil }
        guard let segment else { throw .trimmed(first: first) }
        return try self.undisturbed(of: segment.id) { () throws(LogError) in
            let end = end()
            // Again, since a truncation or a trim may have come in between.
            let (id, next, first) = self.withLayout { ($0.segment(holding: index)?.id, $0.nextIndex, $0.first) }
            guard index < next else { return nil }
            guard let id else { throw .trimmed(first: first) }
            guard id <= end.segment else { return nil }
            var firstFound = LogIndex.first
            let found = try self.seek(in: id, below: end, from: { $0.firstIndex <= index }) { header in
                firstFound = header.firstIndex
                return header.nextIndex > index && header.recordCount > 0
            }
            if let found {
                // A segment whose header is lost may begin with a later record than anybody knows, and the damage
                // that hides that lies before it.
                guard firstFound <= index else { throw .damaged(Damage(id, 0..<SegmentHeader.byteCount, .lost)) }
                return found
            }
            let extent = self.withLayout { $0.extent(of: id) } ?? 0
            guard end >= Position(segment: id, offset: extent) else { return nil }
            throw .damaged(Damage(id, SegmentHeader.byteCount..<max(SegmentHeader.byteCount, Int(extent)), .lost))
        }
    }

    /// The position of the first frame that is not older than `timestamp`; `nil` when all are.
    ///
    /// Of frames with equal timestamps it is the first, in whichever segment that is.
    ///
    /// - Complexity: As ``position(of:)``, and one header read for each step of a search over the segments.
    package func positionAtOrAfter(
        _ timestamp: Timestamp, below end: () -> Position = { .max }
    ) throws(LogError) -> Position? {
        while true {
            let first = self.first.segment
            do throws(LogError) {
                return try self.undisturbed(of: first) { () throws(LogError) in
                    try self.search(timestamp, from: first, below: min(end(), self.written.position))
                }
            } catch {
                // What was trimmed meanwhile is not what was asked for.
                if case .trimmed(let now) = error, now.segment > first { continue }
                throw error
            }
        }
    }

    private func search(
        _ timestamp: Timestamp, from first: SegmentID, below limit: Position
    ) throws(LogError) -> Position? {
        // The first segment that begins at the timestamp or later, one behind the last if none does.
        let end = limit.segment.rawValue + 1
        var low = first.rawValue
        var high = end
        while low < high {
            let middle = low + (high - low) / 2
            let checkpoint = try self.checkpointHeader(of: SegmentID(middle))
            if checkpoint.timestamp < timestamp { low = middle + 1 } else { high = middle }
        }
        // What is wanted may stand behind the checkpoint of the segment before.
        if low > first.rawValue {
            let found = try self.seek(in: SegmentID(low - 1), below: limit, from: { $0.timestamp < timestamp }) {
                $0.timestamp >= timestamp
            }
            if let found { return found }
        }
        return low < end ? Position(low, UInt32(SegmentHeader.byteCount)) : nil
    }

    private func checkpointHeader(of id: SegmentID) throws(LogError) -> FrameHeader {
        let extent = Int(try self.segment(id).byteCount)
        let file = try self.descriptors.file(of: id)
        let count = min(FrameHeader.producerByteCount, extent - SegmentHeader.byteCount)
        let bytes = try disk { () throws(DiskError) in try file.read(at: SegmentHeader.byteCount, count: count) }
        return try Self.header(bytes[...], Damage(id, SegmentHeader.byteCount..<extent, .lost))
    }

    /// The position of the first frame of a segment that is wanted.
    ///
    /// - Parameter limit: Frames from there on are not looked at.
    /// - Parameter isBelow: Whether a frame lies before the wanted one for sure; holds for a prefix of the frames.
    func seek(
        in id: SegmentID, below limit: Position, from isBelow: (SegmentMark) -> Bool,
        until isWanted: (FrameHeader) -> Bool
    ) throws(LogError) -> Position? {
        let (sought, truncations) = self.withLayout { ($0.sought(id), $0.truncations) }
        guard var segment = sought else { throw .beyondTail(tail: self.written.position) }
        if limit.segment == id { segment.byteCount = min(segment.byteCount, limit.offset) }
        try self.quarantine.checkPresence(of: id)
        var index = self.index(of: segment, truncations)
        let mark = index.floor(isBelow)
        var start = mark.map { Int($0.offset) } ?? SegmentHeader.byteCount
        var found: Position?
        do throws(LogError) {
            found = try self.walk(segment, from: mark, &index, until: isWanted)
            self.adopt(index, of: segment, truncations)
        } catch {
            guard mark != nil else { throw error }
            // The index is wrong, or the way from there is damaged. Only the way from the start can tell.
            index = SegmentIndex(spacing: index.spacing)
            start = SegmentHeader.byteCount
            found = try self.walk(segment, from: nil, &index, until: isWanted)
            self.adopt(index, of: segment, truncations, isCorrection: true)
        }
        // Damaged ranges are walked through as long as the headers in them are good. What is found in one is not to
        // be had; and where nothing is found, it may have been in one.
        let end = max(start, Int(segment.byteCount))
        try self.quarantine.check(found.map { Int($0.offset)..<Int($0.offset) + 1 } ?? start..<end, of: id)
        return found
    }

    private func adopt(
        _ index: SegmentIndex, of segment: LogLayout.Segment, _ truncations: UInt64, isCorrection: Bool = false
    ) {
        self.withLayout {
            $0.adopt(
                index, of: segment.id, end: segment.byteCount, truncations: truncations, isCorrection: isCorrection)
        }
    }

    /// Goes from header to header, each of which must name the one before. Notes what it passes in the index.
    private func walk(
        _ segment: LogLayout.Segment, from mark: SegmentMark?, _ index: inout SegmentIndex,
        until isWanted: (FrameHeader) -> Bool
    ) throws(LogError) -> Position? {
        let file = try self.descriptors.file(of: segment.id)
        let end = Int(segment.byteCount)
        var window = FrameWindow(file, end: end, windowByteCount: EngineLimits.seekWindowByteCount)
        var offset = mark.map { Int($0.offset) } ?? SegmentHeader.byteCount
        var previous: UInt32?
        var found: Position?
        while offset < end, found == nil {
            let lost = Damage(segment.id, offset..<end, .lost)
            let bytes: Bytes
            do throws(DiskError) {
                bytes = try window.bytes(at: offset, count: FrameHeader.producerByteCount)
            } catch {
                throw LogError(error)
            }
            let header = try Self.header(bytes, lost)
            if previous == nil, let mark, SegmentMark(header, at: mark.offset) != mark { throw .damaged(lost) }
            if let previous, header.previous != previous {
                let defect = FrameDefect.brokenChain(expected: previous, found: header.previous)
                throw .damaged(Damage(segment.id, offset..<end, .fault(FrameFault(defect))))
            }
            previous = header.headerChecksum
            index.note(header, at: UInt32(offset))
            if isWanted(header) { found = Position(segment: segment.id, offset: UInt32(offset)) }
            offset += Int(header.length)
        }
        return found
    }

    /// - Parameter lost: What is damaged when there is no header.
    private static func header(_ bytes: Bytes, _ lost: Damage) throws(LogError) -> FrameHeader {
        do throws(FormatError) {
            if let header = try FrameHeader.decode(bytes.span.bytes) { return header }
        } catch {
            throw .damaged(Damage(lost.segment, lost.range, .fault(FrameFault(.format(error)))))
        }
        throw .damaged(lost)
    }
}
