import SegmentFormat

/// A checksummed 64-byte record of which a file holds two, so that one survives whatever tears the other.
///
///      0 u32 magic | 4 u16 version | 6 u16 flags | 8 u64 sequence | 16 ... the file's own | 60 u32 CRC-32C
///
/// The valid slot with the higher sequence counts.
package struct Slot: Hashable, Sendable {
    package static let byteCount = 64
    static let version: UInt16 = 1

    package var flags: UInt16
    package var sequence: UInt64
    /// Bytes 16 ..< 60.
    package var words: [UInt32]

    package static let wordCount = 11

    package init(flags: UInt16, sequence: UInt64, words: [UInt32]) {
        self.flags = flags
        self.sequence = sequence
        self.words = words
    }

    package func encoded(magic: UInt32) -> [UInt8] {
        precondition(self.words.count == Self.wordCount, "a slot has \(Self.wordCount) words")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        bytes.append(littleEndian: magic)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: self.flags)
        bytes.append(littleEndian: self.sequence)
        for word in self.words { bytes.append(littleEndian: word) }
        bytes.append(littleEndian: CRC32C.checksum(bytes.span.bytes))
        return bytes
    }

    /// - Returns: `nil` unless magic, checksum and version are right.
    package static func decode(_ bytes: RawSpan, magic: UInt32) -> Slot? {
        guard
            bytes.byteCount >= Self.byteCount,
            bytes.load(UInt32.self, at: 0) == magic,
            bytes.load(UInt32.self, at: 60) == CRC32C.checksum(bytes.extracting(0..<60)),
            bytes.load(UInt16.self, at: 4) == Self.version
        else { return nil }
        return Slot(
            flags: bytes.load(UInt16.self, at: 6),
            sequence: bytes.load(UInt64.self, at: 8),
            words: (0..<Self.wordCount).map { bytes.load(UInt32.self, at: 16 + 4 * $0) }
        )
    }

    /// The two slots at `offsets` in the bytes of a whole file, `nil` for one that is bad or missing.
    static func slots(of bytes: [UInt8], at offsets: [Int], magic: UInt32) -> [Slot?] {
        offsets.map { offset in
            guard offset + Self.byteCount <= bytes.count else { return nil }
            return Slot.decode(bytes.span.bytes.extracting(offset..<(offset + Self.byteCount)), magic: magic)
        }
    }

    /// The newer valid one of the two slots at `offsets`.
    package static func newest(of bytes: [UInt8], at offsets: [Int], magic: UInt32) -> Slot? {
        Self.slots(of: bytes, at: offsets, magic: magic).compactMap { $0 }.max { $0.sequence < $1.sequence }
    }

    static func split(_ number: UInt64) -> [UInt32] {
        [UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32)]
    }

    package func number(at index: Int) -> UInt64 { UInt64(self.words[index]) | UInt64(self.words[index + 1]) << 32 }
}
