import LogModel

/// Appends of one record each, all of one producer, on their way to be one frame.
///
/// They share its header, its place in the log and its fate, and each keeps its own sequence and index.
package struct RunDraft: Sendable {
    private let first: ProducerSequence
    /// Records, behind room for the header.
    private var bytes: [UInt8]
    package private(set) var count = 0

    /// - Parameters:
    ///   - first: Of the record that is added first.
    ///   - byteCount: How much is likely to come.
    package init(from first: ProducerSequence, reserving byteCount: Int = 0) {
        self.first = first
        self.bytes = []
        self.bytes.reserveCapacity(FrameHeader.producerByteCount + byteCount)
        self.bytes.append(contentsOf: repeatElement(0, count: FrameHeader.producerByteCount))
    }

    /// Bytes of the whole frame so far.
    package var byteCount: Int { self.bytes.count }

    /// Adds one more append.
    ///
    /// - Parameter payload: One record as it stands in a frame, see ``RecordLayout``.
    /// - Throws: ``FormatError``, also for a payload that is not exactly one record. Nothing has changed then.
    package mutating func add(_ payload: RawSpan) throws(FormatError) {
        guard self.count < FormatLimits.recordsPerFrameMax else {
            throw .tooManyRecords(count: self.count + 1, max: FormatLimits.recordsPerFrameMax)
        }
        let byteCount = self.bytes.count + payload.byteCount
        guard byteCount <= FormatLimits.frameByteCountMax else {
            throw .frameTooLarge(byteCount: byteCount, max: FormatLimits.frameByteCountMax)
        }
        try RecordReader.verify(payload, count: 1, flags: [])
        payload.withUnsafeBytes { self.bytes.append(contentsOf: $0) }
        self.count += 1
    }

    /// The frame, which holds at least one record. A single append needs no run.
    package consuming func finish() -> FrameDraft {
        precondition(self.count > 0, "a frame without records")
        let label = self.count == 1 ? AppendLabel.producer(self.first) : .run(from: self.first)
        let payload = self.bytes.span.bytes.extracting(droppingFirst: FrameHeader.producerByteCount)
        return FrameDraft(
            kind: .records, flags: FrameFlags(label), recordCount: self.count, label: label,
            payloadChecksum: CRC32C.checksum(payload), bytes: self.bytes)
    }
}
