import LogModel

extension FrameChain {
    /// Checks the frame at the start of `bytes`, at the tail, and advances behind it.
    ///
    /// The cheap checks come first, the payload's checksum last. `bytes` may hold more behind the frame.
    ///
    /// - Returns: `nil` when 56 bytes are all zero: the end of the data.
    /// - Throws: ``FrameDefect``; nothing has changed then.
    package mutating func accept(_ bytes: RawSpan) throws(FrameDefect) -> FrameHeader? {
        let header: FrameHeader
        do throws(FormatError) {
            guard let decoded = try FrameHeader.decode(bytes) else { return nil }
            header = decoded
        } catch {
            throw .format(error)
        }
        try self.checkPlace(of: header)
        guard header.length <= bytes.byteCount else {
            throw .format(.truncated(needed: Int(header.length), available: bytes.byteCount))
        }
        let computed = CRC32C.checksum(bytes.extracting(header.headerByteCount..<Int(header.length)))
        guard computed == header.payloadChecksum else {
            throw .payloadChecksum(stored: header.payloadChecksum, computed: computed)
        }
        self.advance(behind: header)
        return header
    }

    /// Advances behind a frame whose payload was checked before, or is not to be checked: chain, index, term and
    /// timestamp only.
    package mutating func accept(header: FrameHeader) throws(FrameDefect) {
        try self.checkPlace(of: header)
        self.advance(behind: header)
    }

    @inline(__always)
    private func checkPlace(of header: FrameHeader) throws(FrameDefect) {
        guard header.previous == self.previousChecksum else {
            throw .brokenChain(expected: self.previousChecksum, found: header.previous)
        }
        guard header.firstIndex == self.nextIndex else {
            throw .wrongIndex(expected: self.nextIndex, found: header.firstIndex)
        }
        guard header.term >= self.term else { throw .termWentBack(from: self.term, to: header.term) }
        guard header.timestamp >= self.timestamp else {
            throw .timestampWentBack(from: self.timestamp, to: header.timestamp)
        }
        // A pattern, not `==`: that of an enum with raw values goes through a witness, once for each frame.
        switch header.kind {
        case .checkpoint: guard self.isAtSegmentStart else { throw .checkpointMisplaced }
        default: guard !self.isAtSegmentStart else { throw .checkpointMissing(found: header.kind) }
        }
        guard header.length <= UInt32.max - self.tail.offset, !self.isEmpty else { throw .segmentTooLong }
    }

    /// Checks the header at the start of `bytes` as that of the next segment, and goes on behind it.
    ///
    /// - Throws: ``FrameDefect``; nothing has changed then.
    package mutating func acceptSegmentHeader(_ bytes: RawSpan) throws(FrameDefect) -> SegmentHeader {
        let expected = self.nextSegmentHeader
        let found: SegmentHeader
        do throws(FormatError) {
            found = try SegmentHeader.decode(bytes, of: self.cluster)
        } catch {
            throw .format(error)
        }
        guard !self.isAtSegmentStart else {
            throw .wrongPosition(expected: self.tail, found: Position(segment: found.segment, offset: 0))
        }
        guard found.segment == expected.segment else {
            throw .wrongSegment(expected: expected.segment, found: found.segment)
        }
        guard found.previousLength == expected.previousLength else {
            throw .wrongPreviousLength(expected: expected.previousLength, found: found.previousLength)
        }
        guard found.previousChecksum == expected.previousChecksum else {
            throw .brokenChain(expected: expected.previousChecksum, found: found.previousChecksum)
        }
        guard found.firstIndex == expected.firstIndex else {
            throw .wrongIndex(expected: expected.firstIndex, found: found.firstIndex)
        }
        self.tail = Position(segment: found.segment, offset: UInt32(SegmentHeader.byteCount))
        return found
    }

    /// Checks a shipped range: whole frames of one segment, at offset 0 the segment's header before them.
    ///
    /// - Parameters:
    ///   - bytes: Ends where a frame ends; no zeros.
    ///   - position: Of the first byte. Must be the tail, or (next segment, 0).
    ///   - each: Called for each frame in order, once it is checked, with the frame's bytes and position.
    /// - Throws: ``FrameDefect``, or what `each` throws; the chain then ends behind the last good frame.
    package mutating func accept(
        range bytes: Bytes, at position: Position,
        each: (FrameHeader, _ frame: Bytes, _ position: Position) throws(FrameDefect) -> Void
    ) throws(FrameDefect) {
        var offset = bytes.startIndex
        if position.offset == 0 {
            let expected = Position(segment: self.nextSegmentHeader.segment, offset: 0)
            guard position == expected else { throw .wrongPosition(expected: expected, found: position) }
            _ = try self.acceptSegmentHeader(bytes.span.bytes)
            offset += SegmentHeader.byteCount
        } else {
            guard position == self.tail else { throw .wrongPosition(expected: self.tail, found: position) }
        }
        while offset < bytes.endIndex {
            let start = self.tail
            let rest = bytes.span.bytes.extracting(droppingFirst: offset - bytes.startIndex)
            guard let header = try self.accept(rest) else { throw .endOfData }
            let end = offset + Int(header.length)
            try each(header, bytes[offset..<end], start)
            offset = end
        }
    }
}
