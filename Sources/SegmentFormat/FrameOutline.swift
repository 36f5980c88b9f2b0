import LogModel

/// What a frame's header says besides the frame's place in the log: known before any lock is taken.
package struct FrameOutline: Hashable, Sendable {
    package var kind: FrameKind
    package var flags: FrameFlags
    package var recordCount: Int
    package var label: AppendLabel?
    package var payloadChecksum: UInt32
    /// Of the whole frame.
    package var byteCount: Int

    package var headerByteCount: Int {
        self.label == nil ? FrameHeader.byteCount : FrameHeader.producerByteCount
    }
}

extension FrameOutline {
    /// Bytes of the frame that holds `records`, header included.
    ///
    /// - Throws: ``FormatError/noRecords``, ``FormatError/tooManyRecords(count:max:)`` or
    ///   ``FormatError/frameTooLarge(byteCount:max:)``.
    package static func byteCount(
        of records: UnsafeBufferPointer<Record>, headerByteCount: Int = FrameHeader.byteCount
    ) throws(FormatError) -> Int {
        guard !records.isEmpty else { throw .noRecords }
        guard records.count <= FormatLimits.recordsPerFrameMax else {
            throw .tooManyRecords(count: records.count, max: FormatLimits.recordsPerFrameMax)
        }
        var byteCount = headerByteCount
        for record in records { byteCount += RecordLayout.byteCount(of: record) }
        guard byteCount <= FormatLimits.frameByteCountMax else {
            throw .frameTooLarge(byteCount: byteCount, max: FormatLimits.frameByteCountMax)
        }
        return byteCount
    }

    /// Encodes records as an atomic batch into memory of the size that ``byteCount(of:headerByteCount:)`` gave.
    ///
    /// The header's bytes are left as they are: ``FrameChain/place(_:in:term:node:timestamp:)`` fills them in.
    package static func encode(
        _ records: UnsafeBufferPointer<Record>, into frame: UnsafeMutableRawBufferPointer,
        label: AppendLabel? = nil
    ) -> FrameOutline {
        let headerByteCount = label == nil ? FrameHeader.byteCount : FrameHeader.producerByteCount
        var writer = RecordWriter(frame, at: headerByteCount)
        for record in records { writer.write(record) }
        precondition(writer.offset == frame.count, "a record changed while it was encoded")
        let payload = UnsafeRawBufferPointer(rebasing: frame[headerByteCount...])
        return FrameOutline(
            kind: .records, flags: FrameFlags(label), recordCount: records.count, label: label,
            payloadChecksum: CRC32C.checksum(payload.bytes), byteCount: frame.count)
    }
}

extension FrameChain {
    /// Fills in the header of an encoded frame for the tail and advances behind it.
    ///
    /// - Parameters:
    ///   - frame: The whole frame, its payload encoded.
    ///   - term: Not below ``term``.
    ///   - timestamp: Raised to the last frame's when it is earlier.
    package mutating func place(
        _ outline: FrameOutline, in frame: inout MutableRawSpan, term: Term, node: NodeID, timestamp: Timestamp
    ) -> FrameHeader {
        precondition(term >= self.term, "term \(term) after \(self.term)")
        precondition(!self.isEmpty, "no segment has begun")
        precondition(self.isAtSegmentStart == (outline.kind == .checkpoint), "a segment begins with its one checkpoint")
        precondition(frame.byteCount == outline.byteCount, "a frame of another length")
        precondition(outline.byteCount <= Int(UInt32.max - self.tail.offset), "the segment is full")
        var header = FrameHeader(
            length: UInt32(outline.byteCount),
            payloadChecksum: outline.payloadChecksum,
            previous: self.previousChecksum,
            kind: outline.kind,
            flags: outline.flags,
            node: node,
            term: term,
            firstIndex: self.nextIndex,
            timestamp: max(self.timestamp, timestamp),
            recordCount: UInt32(outline.recordCount),
            label: outline.label
        )
        header.encode(into: &frame)
        self.advance(behind: header)
        return header
    }
}
