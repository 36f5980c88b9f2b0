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
    /// - Returns: An empty range when `start` is the limit.
    /// - Throws: ``LogError/trimmed(first:)``, ``LogError/beyondTail(tail:)``, ``LogError/noFrame(at:)``,
    ///   ``LogError/damaged(_:)``, ``LogError/storage(_:)``.
    /// - Complexity: One positioned read, a second for a frame above `byteCountMax`.
    package func read(
        from start: Position, through limit: Position, byteCountMax: Int
    ) throws(LogError) -> SegmentRange {
        while true {
            let (place, truncations) = try self.locate(start, limit)
            guard place.end > place.start else {
                return SegmentRange(position: start, bytes: [], end: start)
            }
            do throws(LogError) {
                return try self.read(place, byteCountMax: byteCountMax)
            } catch {
                // What a truncation cut meanwhile is not damage, and what a trim removed is not missing.
                let (now, first) = self.withLayout { ($0.truncations, $0.first) }
                if start.segment < first.segment { throw .trimmed(first: first) }
                if now == truncations { throw error }
            }
        }
    }

    private struct Place {
        var segment: SegmentID
        var start: UInt32
        var end: UInt32
    }

    private func locate(_ start: Position, _ limit: Position) throws(LogError) -> (Place, truncations: UInt64) {
        let (segment, next, first, tail, truncations) = self.withLayout {
            ($0.segment(start.segment), $0.segment(start.segment.next), $0.first, $0.tail, $0.truncations)
        }
        if start.segment < first.segment { throw .trimmed(first: first) }
        if let segment, start.offset > segment.byteCount {
            try self.quarantine.check(Int(start.offset)..<Int(start.offset) + 1, of: start.segment)
        }
        guard let segment, start.offset <= segment.byteCount else { throw .beyondTail(tail: tail.position) }
        guard start.offset == 0 || start.offset >= UInt32(SegmentHeader.byteCount) else { throw .noFrame(at: start) }
        if start.offset == segment.byteCount, let next, limit.segment > start.segment {
            let end = limit.segment == next.id ? min(limit.offset, next.byteCount) : next.byteCount
            return (Place(segment: next.id, start: 0, end: end), truncations)
        }
        let end: UInt32 =
            if limit.segment > start.segment {
                segment.byteCount
            } else if limit.segment == start.segment {
                min(limit.offset, segment.byteCount)
            } else {
                0
            }
        return (Place(segment: segment.id, start: start.offset, end: end), truncations)
    }

    private func read(_ given: Place, byteCountMax: Int) throws(LogError) -> SegmentRange {
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
            let bytes = try disk { () throws(DiskError) in try file.read(at: start, count: count) }
            guard bytes.count == count else {
                throw .damaged(Damage(place.segment, start + bytes.count..<Int(place.end), .lost))
            }
            let walk = try self.walk(bytes, place)
            if let end = walk.end {
                return SegmentRange(
                    position: Position(segment: place.segment, offset: place.start),
                    bytes: bytes[..<end],
                    end: Position(segment: place.segment, offset: place.start + UInt32(end))
                )
            }
            guard walk.needed <= available, walk.needed > count else {
                // Nothing fits before what is quarantined: that is what is wrong.
                try self.quarantine.check(start..<Int(given.end), of: place.segment)
                throw .damaged(Damage(place.segment, start..<Int(place.end), .lost))
            }
            count = walk.needed
        }
    }

    /// Checks the frames in `bytes`.
    ///
    /// - Returns: The end of the last whole frame; `nil` when not even one is whole, with the bytes that it needs.
    private func walk(_ bytes: [UInt8], _ place: Place) throws(LogError) -> (end: Int?, needed: Int) {
        var offset = 0
        if place.start == 0 {
            do throws(FormatError) {
                _ = try SegmentHeader.decode(bytes.span.bytes, of: self.cluster)
            } catch {
                throw .damaged(self.damage(place, 0, .format(error)))
            }
            offset = SegmentHeader.byteCount
        }
        let firstFrame = offset
        var previous: UInt32?
        while offset < bytes.count {
            switch Self.look(at: bytes.span.bytes.extracting(droppingFirst: offset), after: previous) {
            case .frame(let header):
                offset += Int(header.length)
                previous = header.headerChecksum
            case .incomplete(let needed):
                return offset > firstFrame ? (offset, 0) : (nil, offset + needed)
            case .defect(let defect):
                if offset == 0, try !self.isFrame(at: Position(segment: place.segment, offset: place.start)) {
                    throw .noFrame(at: Position(segment: place.segment, offset: place.start))
                }
                throw .damaged(self.damage(place, offset, defect))
            }
        }
        return offset > firstFrame ? (offset, 0) : (nil, offset + FrameHeader.producerByteCount)
    }

    private enum Look {
        case frame(FrameHeader)
        /// So many bytes would be needed.
        case incomplete(Int)
        case defect(FrameDefect)
    }

    private static func look(at bytes: RawSpan, after previous: UInt32?) -> Look {
        let header: FrameHeader
        do throws(FormatError) {
            guard let decoded = try FrameHeader.decode(bytes) else { return .defect(.endOfData) }
            header = decoded
        } catch {
            if case .truncated(let needed, _) = error { return .incomplete(needed) }
            return .defect(.format(error))
        }
        if let previous, header.previous != previous {
            return .defect(.brokenChain(expected: previous, found: header.previous))
        }
        guard Int(header.length) <= bytes.byteCount else { return .incomplete(Int(header.length)) }
        let computed = CRC32C.checksum(bytes.extracting(header.headerByteCount..<Int(header.length)))
        guard computed == header.payloadChecksum else {
            return .defect(.payloadChecksum(stored: header.payloadChecksum, computed: computed))
        }
        return .frame(header)
    }

    /// Tells a position that never was one from a damaged frame, by walking there from the segment's start.
    private func isFrame(at position: Position) throws(LogError) -> Bool {
        do throws(LogError) {
            _ = try self.chain(at: position)
            return true
        } catch {
            if case .noFrame = error { return false }
            throw error
        }
    }

    private func damage(_ place: Place, _ offset: Int, _ defect: FrameDefect) -> Damage {
        Damage(place.segment, Int(place.start) + offset..<Int(place.end), .fault(FrameFault(defect)))
    }
}
