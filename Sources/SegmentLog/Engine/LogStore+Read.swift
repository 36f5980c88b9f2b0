import DiskIO
import LogModel
import SegmentFormat

extension LogStore {
    /// Reads whole frames of one segment, checked.
    ///
    /// At the end of a sealed segment it goes on at offset 0 of the next, with that segment's header first.
    ///
    /// - Parameters:
    ///   - start: Where a frame begins, or offset 0 of a segment.
    ///   - limit: Where a frame ends; nothing behind it is read.
    ///   - byteCountMax: At least one frame is read, whatever its size.
    /// - Returns: An empty range when `start` is the limit. Before damage it ends: the next read meets it.
    /// - Throws: ``LogError/trimmed(first:)``, ``LogError/beyondTail(tail:)``, ``LogError/noFrame(at:)``,
    ///   ``LogError/damaged(_:)``, ``LogError/storage(_:)``.
    /// - Complexity: One positioned read, a second for a frame above `byteCountMax`.
    package func read(
        from start: Position, through limit: Position, byteCountMax: Int
    ) throws(LogError) -> SegmentRange {
        var cursor = self.cursor(at: start)
        var bytes: [UInt8] = []
        let read = try self.read(&cursor, byteCountMax: byteCountMax, into: &bytes) { limit }
        return SegmentRange(position: read.position, bytes: bytes[..<read.frames.upperBound], end: cursor.position)
    }

    /// A cursor for reading on from `position`, which is checked by the first read.
    package func cursor(at position: Position) -> ReadCursor {
        ReadCursor(position: position, previous: nil, truncations: self.withLayout { $0.truncations })
    }

    /// Reads on; as ``read(from:through:byteCountMax:)``, and knows what was read before.
    ///
    /// So the chain is checked across reads, and a truncation that removed what the cursor stands behind is told as
    /// ``LogError/beyondTail(tail:)`` at once and for good, whatever was appended since.
    ///
    /// - Parameters:
    ///   - bytes: Replaced, in their own storage where nobody else uses it.
    ///   - limit: Asked for once it is known which truncations there were: one from before a truncation could lie beyond
    ///     what was appended since and is not in the files yet.
    /// - Returns: The position of the first byte, and which of `bytes` are frames: empty when the cursor is at the limit.
    /// - Throws: See above; the cursor is then where it was.
    func read(
        _ cursor: inout ReadCursor, byteCountMax: Int, into bytes: inout [UInt8], through limit: () -> Position
    ) throws(LogError) -> (position: Position, frames: Range<Int>) {
        while true {
            let place = try self.locate(cursor, limit)
            guard place.end > place.start else {
                cursor.truncations = place.truncations
                return (cursor.position, 0..<0)
            }
            var failure: LogError?
            var read: (frames: Range<Int>, previous: UInt32?) = (0..<0, nil)
            do throws(LogError) {
                read = try self.read(place, after: cursor.previous, byteCountMax: byteCountMax, into: &bytes)
            } catch {
                failure = error
            }
            // What a truncation cut meanwhile is neither damage nor good, and what a trim removed is not missing.
            let (truncations, first) = self.withLayout { ($0.truncations, $0.first) }
            if failure != nil, place.segment < first.segment { throw .trimmed(first: first) }
            if truncations != place.truncations { continue }
            if case .damaged(let damage) = failure { throw self.refusal(for: damage) }
            if let failure { throw failure }
            let position = Position(segment: place.segment, offset: place.start)
            cursor = ReadCursor(
                position: position.advanced(by: read.frames.upperBound), previous: read.previous,
                truncations: truncations)
            return (position, read.frames)
        }
    }

    private struct Place {
        var segment: SegmentID
        var start: UInt32
        var end: UInt32
        var truncations: UInt64
    }

    private func locate(_ cursor: ReadCursor, _ limit: () -> Position) throws(LogError) -> Place {
        let start = cursor.position
        let (segment, next, first, tail, truncations, isRemoved) = self.withLayout {
            (
                $0.extent(of: start.segment), $0.extent(of: start.segment.next), $0.first, $0.tail, $0.truncations,
                $0.isRemoved(start, since: cursor.truncations)
            )
        }
        let limit = limit()
        if start.segment < first.segment { throw .trimmed(first: first) }
        if let segment, start.offset > segment, !isRemoved {
            try self.quarantine.check(Int(start.offset)..<Int(start.offset) + 1, of: start.segment)
        }
        guard let segment, start.offset <= segment, !isRemoved else { throw .beyondTail(tail: tail.position) }
        guard start.offset == 0 || start.offset >= UInt32(SegmentHeader.byteCount) else { throw .noFrame(at: start) }
        if start.offset == segment, let next, limit.segment > start.segment {
            let id = start.segment.next
            let end = limit.segment == id ? min(limit.offset, next) : next
            return Place(segment: id, start: 0, end: end, truncations: truncations)
        }
        let end: UInt32 =
            if limit.segment > start.segment {
                segment
            } else if limit.segment == start.segment {
                min(limit.offset, segment)
            } else {
                0
            }
        return Place(segment: start.segment, start: start.offset, end: end, truncations: truncations)
    }

    private func read(
        _ given: Place, after previous: UInt32?, byteCountMax: Int, into bytes: inout [UInt8]
    ) throws(LogError) -> (frames: Range<Int>, previous: UInt32?) {
        var place = given
        place.end = UInt32(
            try self.quarantine.goodEnd(of: Int(given.start)..<Int(given.end), in: given.segment))
        let file = try self.descriptors.file(of: place.segment)
        let start = Int(place.start)
        let available = Int(place.end) - start
        // Room for one header at least, and for the segment's.
        let smallest = SegmentHeader.byteCount + FrameHeader.producerByteCount
        var count = min(available, max(byteCountMax, smallest))
        while true {
            do throws(DiskError) {
                try file.read(at: start, count: count, into: &bytes)
            } catch {
                throw self.refusal(of: start..<start + count, in: place.segment, error)
            }
            guard bytes.count == count else {
                throw .damaged(Damage(place.segment, start + bytes.count..<Int(place.end), .lost))
            }
            let first = place.start == 0 ? SegmentHeader.byteCount : 0
            let before = place.start == 0 ? try self.checkHeader(bytes, place, after: previous) : previous
            let checked = CheckedFrames(bytes.span.bytes, from: first, after: before)
            if case .defect(.brokenChain) = checked.stop {
                // The frame is good in itself: only this read can tell that it does not belong here.
                throw self.fault(checked, place, bytes.span.bytes)
            }
            if checked.end > first { return (first..<checked.end, checked.previous) }
            var needed = 0
            switch checked.stop {
            case .endOfBytes:
                needed = first + FrameHeader.producerByteCount
            case .incomplete(let byteCount):
                needed = first + byteCount
            case .defect:
                let position = Position(segment: place.segment, offset: place.start)
                if first == 0, previous == nil, try !self.isFrame(at: position) { throw .noFrame(at: position) }
                throw self.fault(checked, place, bytes.span.bytes)
            }
            guard needed <= available, needed > count else {
                let position = Position(segment: place.segment, offset: place.start)
                if first == 0, previous == nil, try !self.isFrame(at: position) { throw .noFrame(at: position) }
                // Nothing fits before what is quarantined: that is what is wrong.
                try self.quarantine.check(start..<Int(given.end), of: place.segment)
                throw .damaged(Damage(place.segment, start..<Int(place.end), .lost))
            }
            count = needed
        }
    }

    /// Checks a segment's header.
    ///
    /// - Returns: The header checksum that the segment's first frame must name.
    private func checkHeader(
        _ bytes: [UInt8], _ place: Place, after previous: UInt32?
    ) throws(LogError) -> UInt32 {
        let defect: FrameDefect
        do throws(FormatError) {
            let header = try SegmentHeader.decode(bytes.span.bytes, of: self.cluster)
            if header.segment != place.segment {
                defect = .wrongSegment(expected: place.segment, found: header.segment)
            } else if let previous, header.previousChecksum != previous {
                defect = .brokenChain(expected: previous, found: header.previousChecksum)
            } else {
                return header.previousChecksum
            }
        } catch {
            defect = .format(error)
        }
        throw .damaged(Damage(place.segment, 0..<Int(place.end), .fault(FrameFault(defect))))
    }

    /// Tells a position that never was one from a damaged frame, by walking there from the segment's start.
    private func isFrame(at position: Position) throws(LogError) -> Bool {
        do throws(LogError) {
            _ = try self.walkChain(to: position)
            return true
        } catch {
            if case .noFrame = error { return false }
            throw error
        }
    }

    private func fault(_ checked: CheckedFrames, _ place: Place, _ bytes: RawSpan) -> LogError {
        guard case .defect(let defect) = checked.stop else { preconditionFailure("no fault in \(place)") }
        var range = Int(place.start) + checked.end..<Int(place.end)
        // Behind a frame whose header is good, the next one is known to begin.
        if case .payloadChecksum = defect,
            let header = try? FrameHeader.decode(bytes.extracting(droppingFirst: checked.end))
        {
            range = range.lowerBound..<min(range.upperBound, range.lowerBound + Int(header.length))
        }
        return .damaged(Damage(place.segment, range, .fault(FrameFault(defect))))
    }
}
