import LogModel

/// Reads the records of one payload; keys and values share its storage, or that of its inflated bytes.
package struct RecordReader: Sendable {
    private var payload: Bytes
    /// Inflated when the first record is asked for: a frame that is only passed over costs nothing.
    private var isCompressed: Bool
    /// From the start of the records.
    private var offset = 0
    /// Records not read yet.
    package private(set) var remaining: Int

    /// - Parameters:
    ///   - payload: A frame's bytes behind its header, checksum already checked.
    ///   - header: Of that frame.
    package init(payload: Bytes, of header: FrameHeader) {
        self.init(payload: payload, count: Int(header.recordCount), flags: header.flags)
    }

    package init(payload: Bytes, count: Int, flags: FrameFlags) {
        self.payload = payload
        self.remaining = count
        self.isCompressed = flags.contains(.compressed)
    }

    /// - Returns: The next record; `nil` behind the last.
    /// - Throws: ``FormatError/badRecord(offset:)``, or ``FormatError/trailingBytes(_:)`` behind the last; for
    ///   compressed records what ``CompressedRecords/inflate(_:)`` throws. Reading on gives the same error.
    package mutating func next() throws(FormatError) -> Record? {
        if self.isCompressed { try self.inflate() }
        guard self.remaining > 0 else {
            guard self.offset == self.payload.count else { throw .trailingBytes(self.payload.count - self.offset) }
            return nil
        }
        let layout = try RecordLayout.decode(self.payload.span.bytes, at: self.offset)
        self.offset = layout.end
        self.remaining -= 1
        let base = self.payload.startIndex
        return Record(
            key: layout.keyStart == layout.valueStart
                ? [] : self.payload[base + layout.keyStart..<base + layout.valueStart],
            value: self.payload[base + layout.valueStart..<base + layout.end],
            isTombstone: layout.isTombstone,
            timeToLiveMilliseconds: layout.timeToLiveMilliseconds
        )
    }

    /// Passes over a record without slicing it.
    package mutating func skip() throws(FormatError) {
        if self.isCompressed { try self.inflate() }
        let layout = try RecordLayout.decode(self.payload.span.bytes, at: self.offset)
        self.offset = layout.end
        self.remaining = max(0, self.remaining - 1)
    }

    private mutating func inflate() throws(FormatError) {
        self.payload = try CompressedRecords.inflate(self.payload.span.bytes)[...]
        self.isCompressed = false
    }

    /// Checks that a payload is exactly the records that its header says, without making any.
    ///
    /// - Throws: As ``next()``.
    package static func verify(_ payload: RawSpan, of header: FrameHeader) throws(FormatError) {
        try Self.verify(payload, count: Int(header.recordCount), flags: header.flags)
    }

    package static func verify(_ payload: RawSpan, count: Int, flags: FrameFlags) throws(FormatError) {
        guard flags.contains(.compressed) else { return try Self.verify(payload, count: count) }
        let records = try CompressedRecords.inflate(payload)
        try Self.verify(records.span.bytes, count: count)
    }

    private static func verify(_ records: RawSpan, count: Int) throws(FormatError) {
        var offset = 0
        for _ in 0..<count { offset = try RecordLayout.decode(records, at: offset).end }
        guard offset == records.byteCount else { throw .trailingBytes(records.byteCount - offset) }
    }
}
