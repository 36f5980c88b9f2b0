import LogModel

extension FrameDraft {
    /// An atomic batch that somebody else has encoded: checked, and copied once.
    ///
    /// - Parameters:
    ///   - payload: The records as they stand in a frame, see ``RecordLayout``.
    ///   - count: How many there must be: 1 ... ``FormatLimits/recordsPerFrameMax``.
    /// - Throws: ``FormatError``, also for a payload that is not exactly so many records.
    package static func records(
        encoded payload: RawSpan, count: Int, label: AppendLabel?
    ) throws(FormatError) -> FrameDraft {
        guard count > 0 else { throw .noRecords }
        guard count <= FormatLimits.recordsPerFrameMax else {
            throw .tooManyRecords(count: count, max: FormatLimits.recordsPerFrameMax)
        }
        let headerByteCount = label == nil ? FrameHeader.byteCount : FrameHeader.producerByteCount
        let byteCount = headerByteCount + payload.byteCount
        guard byteCount <= FormatLimits.frameByteCountMax else {
            throw .frameTooLarge(byteCount: byteCount, max: FormatLimits.frameByteCountMax)
        }
        try RecordReader.verify(payload, count: count, flags: [])
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        bytes.append(contentsOf: repeatElement(0, count: headerByteCount))
        payload.withUnsafeBytes { bytes.append(contentsOf: $0) }
        return FrameDraft(
            kind: .records, flags: FrameFlags(label), recordCount: count, label: label,
            payloadChecksum: CRC32C.checksum(payload), bytes: bytes)
    }
}
