import LogModel

/// Where the parts of one record stand in a payload.
///
///     flags u8 (1 tombstone, 2 ttl) | key length varint | value length varint | [ttl ms varint] | key | value
package struct RecordLayout: Sendable {
    static let tombstone: UInt8 = 1
    static let timeToLive: UInt8 = 2

    package var isTombstone: Bool
    package var timeToLiveMilliseconds: UInt64?
    /// Offsets in the payload; the key ends where the value begins.
    package var keyStart: Int
    package var valueStart: Int
    package var end: Int

    /// Reads the record that begins at `start`.
    ///
    /// - Throws: ``FormatError/badRecord(offset:)``.
    package static func decode(_ payload: RawSpan, at start: Int) throws(FormatError) -> RecordLayout {
        guard start < payload.byteCount else { throw .badRecord(offset: start) }
        let flags = payload.load(UInt8.self, at: start)
        guard
            flags & ~(Self.tombstone | Self.timeToLive) == 0,
            let key = Varint.decode(payload, at: start + 1),
            let value = Varint.decode(payload, at: key.end)
        else { throw .badRecord(offset: start) }
        var keyStart = value.end
        var timeToLive: UInt64?
        if flags & Self.timeToLive != 0 {
            guard let field = Varint.decode(payload, at: value.end) else { throw .badRecord(offset: start) }
            timeToLive = field.value
            keyStart = field.end
        }
        let available = UInt64(payload.byteCount - keyStart)
        guard key.value <= available, value.value <= available - key.value else { throw .badRecord(offset: start) }
        let valueStart = keyStart + Int(key.value)
        return RecordLayout(
            isTombstone: flags & Self.tombstone != 0,
            timeToLiveMilliseconds: timeToLive,
            keyStart: keyStart,
            valueStart: valueStart,
            end: valueStart + Int(value.value)
        )
    }

    static func byteCount(of record: Record) -> Int {
        var count = 1 + record.key.count + record.value.count
        count += Varint.byteCount(UInt64(record.key.count)) + Varint.byteCount(UInt64(record.value.count))
        if let timeToLive = record.timeToLiveMilliseconds { count += Varint.byteCount(timeToLive) }
        return count
    }
}

/// Writes records into memory that was measured by ``RecordLayout/byteCount(of:)``.
///
/// Unsafe on purpose: one allocation a frame, not zeroed before, and plain copies. Every write is checked against
/// the end of the buffer.
struct RecordWriter {
    private let out: UnsafeMutableRawBufferPointer
    private(set) var offset: Int

    init(_ out: UnsafeMutableRawBufferPointer, at offset: Int) {
        self.out = out
        self.offset = offset
    }

    mutating func write(_ record: Record) {
        var flags: UInt8 = record.isTombstone ? RecordLayout.tombstone : 0
        if record.timeToLiveMilliseconds != nil { flags |= RecordLayout.timeToLive }
        self.write(flags)
        self.write(varint: UInt64(record.key.count))
        self.write(varint: UInt64(record.value.count))
        if let timeToLive = record.timeToLiveMilliseconds { self.write(varint: timeToLive) }
        self.write(record.key)
        self.write(record.value)
    }

    private mutating func write(_ byte: UInt8) {
        precondition(self.offset < self.out.count)
        self.out[self.offset] = byte
        self.offset += 1
    }

    private mutating func write(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.write(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.write(UInt8(rest))
    }

    private mutating func write(_ bytes: Bytes) {
        guard !bytes.isEmpty else { return }
        precondition(bytes.count <= self.out.count - self.offset)
        bytes.withUnsafeBytes { source in
            UnsafeMutableRawBufferPointer(rebasing: self.out[self.offset...]).copyMemory(from: source)
        }
        self.offset += bytes.count
    }
}
