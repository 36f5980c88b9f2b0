import LogModel

/// Reads the records of one payload; keys and values share its storage.
package struct RecordReader: Sendable {
    private let payload: Bytes
    /// From the start of the payload.
    private var offset = 0
    /// Records not read yet.
    package private(set) var remaining: Int

    /// - Parameters:
    ///   - payload: A frame's bytes behind its header, checksum already checked.
    ///   - count: The record count that the header states.
    package init(payload: Bytes, count: Int) {
        self.payload = payload
        self.remaining = count
    }

    /// - Returns: The next record; `nil` behind the last.
    /// - Throws: ``FormatError/badRecord(offset:)``, or ``FormatError/trailingBytes(_:)`` behind the last. Reading
    ///   on gives the same error.
    package mutating func next() throws(FormatError) -> Record? {
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
        let layout = try RecordLayout.decode(self.payload.span.bytes, at: self.offset)
        self.offset = layout.end
        self.remaining = max(0, self.remaining - 1)
    }

    /// Checks that `payload` is exactly `count` records, without making any.
    package static func verify(_ payload: RawSpan, count: Int) throws(FormatError) {
        var offset = 0
        for _ in 0..<count { offset = try RecordLayout.decode(payload, at: offset).end }
        guard offset == payload.byteCount else { throw .trailingBytes(payload.byteCount - offset) }
    }
}
