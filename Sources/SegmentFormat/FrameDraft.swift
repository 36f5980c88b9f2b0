import LogModel

/// A frame whose payload is encoded and checksummed, with room for the header in front of it.
///
/// Everything but what its place in the log decides; so the costly part is done off any lock, on any thread.
package struct FrameDraft: Sendable {
    package let kind: FrameKind
    package let flags: FrameFlags
    package let recordCount: Int
    package let label: AppendLabel?
    let payloadChecksum: UInt32
    /// The whole frame, the header still undefined.
    var bytes: [UInt8]

    /// Bytes of the whole frame.
    package var byteCount: Int { self.bytes.count }

    package var outline: FrameOutline {
        FrameOutline(
            kind: self.kind, flags: self.flags, recordCount: self.recordCount,
            label: self.label, payloadChecksum: self.payloadChecksum, byteCount: self.bytes.count)
    }

    package var headerByteCount: Int {
        self.label == nil ? FrameHeader.byteCount : FrameHeader.producerByteCount
    }

    /// Takes the draft apart: what the header is to say, and the whole frame with the header still undefined.
    package consuming func takeApart() -> (outline: FrameOutline, frame: [UInt8]) { (self.outline, self.bytes) }

    /// An atomic batch.
    ///
    /// - Parameters:
    ///   - records: 1 ... ``FormatLimits/recordsPerFrameMax``; before compression they must fit into a frame, too.
    ///   - compression: What does not get smaller is stored plain.
    /// - Throws: ``FormatError/noRecords``, ``FormatError/tooManyRecords(count:max:)`` or
    ///   ``FormatError/frameTooLarge(byteCount:max:)``.
    /// - Complexity: One allocation and one copy of the bytes. With compression a second, and zlib's own memory of up to
    ///   256 KiB; large batches that do not shrink cost the deflating of a sample.
    package static func records(
        _ records: [Record], label: AppendLabel? = nil, compression: RecordCompression = .none
    ) throws(FormatError) -> FrameDraft {
        let draft = try Self.plain(records, label: label)
        guard case .deflate(let level) = compression else { return draft }
        return draft.deflated(level: level)
    }

    /// An atomic batch of a producer, or of nobody in particular.
    package static func records(
        _ records: [Record], producer: ProducerSequence?, compression: RecordCompression = .none
    ) throws(FormatError) -> FrameDraft {
        try .records(records, label: producer.map { .producer($0) }, compression: compression)
    }

    private static func plain(
        _ records: [Record], label: AppendLabel?
    ) throws(FormatError) -> FrameDraft {
        let headerByteCount = label == nil ? FrameHeader.byteCount : FrameHeader.producerByteCount
        let byteCount = try records.withUnsafeBufferPointer { records throws(FormatError) in
            try FrameOutline.byteCount(of: records, headerByteCount: headerByteCount)
        }
        var checksum: UInt32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            let frame = UnsafeMutableRawBufferPointer(buffer)
            let header = UnsafeMutableRawBufferPointer(rebasing: frame[..<headerByteCount])
            header.initializeMemory(as: UInt8.self, repeating: 0)
            checksum = records.withUnsafeBufferPointer { records in
                FrameOutline.encode(records, into: frame, label: label).payloadChecksum
            }
            count = byteCount
        }
        return FrameDraft(
            kind: .records, flags: FrameFlags(label), recordCount: records.count, label: label,
            payloadChecksum: checksum, bytes: bytes)
    }

    /// The same batch compressed, or the draft itself when that is not smaller.
    private consuming func deflated(level: Int) -> FrameDraft {
        let records = self.bytes.span.bytes.extracting(droppingFirst: self.headerByteCount)
        guard let payload = CompressedRecords.deflate(records, level: level) else { return self }
        return FrameDraft(
            kind: self.kind, flags: self.flags.union(.compressed), recordCount: self.recordCount,
            label: self.label, payloadChecksum: CRC32C.checksum(payload.span.bytes),
            bytes: Array(self.bytes[..<self.headerByteCount] + payload))
    }

    /// A frame that holds no record and takes no index.
    ///
    /// - Parameters:
    ///   - kind: Anything but ``FrameKind/records``.
    ///   - payload: At most ``FormatLimits/frameByteCountMax`` less the header; a larger one is a defect of the caller.
    package static func control(_ kind: FrameKind, payload: [UInt8]) -> FrameDraft {
        precondition(kind != .records, "records are not a control frame")
        precondition(payload.count <= FormatLimits.frameByteCountMax - FrameHeader.byteCount, "payload too large")
        var bytes = [UInt8]()
        bytes.reserveCapacity(FrameHeader.byteCount + payload.count)
        bytes.append(contentsOf: repeatElement(0, count: FrameHeader.byteCount))
        bytes.append(contentsOf: payload)
        return FrameDraft(
            kind: kind, flags: [], recordCount: 0, label: nil, payloadChecksum: CRC32C.checksum(payload.span.bytes),
            bytes: bytes)
    }
}

/// A finished frame and where it belongs.
package struct PlacedFrame: Sendable {
    /// Of the first byte.
    package var position: Position
    package var header: FrameHeader
    package var bytes: [UInt8]
    package var end: Position { self.position.advanced(by: self.bytes.count) }
    package var payload: Bytes { self.bytes[self.header.headerByteCount...] }
}
