import LogModel

/// The value of a record in a stress run: says who wrote it as which of theirs, and its bytes follow from that.
///
///     u64 writer << 32 | number, little-endian | 0 ..< 200 bytes of padding
struct StressValue: Hashable, Sendable {
    var writer: UInt32
    /// From 0, in the order in which the writer appended.
    var number: UInt32

    var record: Record { Record(value: self.bytes) }

    var bytes: Bytes {
        let id = UInt64(self.writer) << 32 | UInt64(self.number)
        let mixed = id &* 0x9E37_79B9_7F4A_7C15
        return Bytes((0..<8).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) })
            + [UInt8](repeating: UInt8(truncatingIfNeeded: mixed >> 20), count: Int(mixed >> 40) % 200)
    }

    init(writer: UInt32, number: UInt32) {
        self.writer = writer
        self.number = number
    }

    /// - Returns: `nil` for anything that ``bytes`` does not give.
    init?(_ bytes: Bytes) {
        guard bytes.count >= 8 else { return nil }
        var id: UInt64 = 0
        for byte in bytes.prefix(8).reversed() { id = id << 8 | UInt64(byte) }
        self.init(writer: UInt32(id >> 32), number: UInt32(truncatingIfNeeded: id))
        guard self.bytes == bytes else { return nil }
    }
}
