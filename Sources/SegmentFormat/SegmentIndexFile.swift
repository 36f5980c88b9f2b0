import LogModel

/// Where one frame of a segment begins, with enough of its header to know it again.
package struct SegmentMark: Hashable, Sendable {
    package var offset: UInt32
    package var headerChecksum: UInt32
    package var firstIndex: LogIndex
    package var timestamp: Timestamp

    package init(offset: UInt32, headerChecksum: UInt32, firstIndex: LogIndex, timestamp: Timestamp) {
        self.offset = offset
        self.headerChecksum = headerChecksum
        self.firstIndex = firstIndex
        self.timestamp = timestamp
    }

    package init(_ header: FrameHeader, at offset: UInt32) {
        self.init(
            offset: offset, headerChecksum: header.headerChecksum, firstIndex: header.firstIndex,
            timestamp: header.timestamp)
    }
}

/// The sparse index of a sealed segment, little-endian.
///
///      0 u32 magic               "HFIX"
///      4 u16 version
///      6 u16 zero
///      8 u32 segment
///     12 u32 segment's length
///     16 u32 spacing             bytes between two marks, at least
///     20 u32 count
///     24 marks: u32 offset | u32 header checksum | u64 first index | u64 timestamp
///        u32 CRC-32C of all before
///
/// A hint that can be made again from the segment. What it says of a frame is compared with the frame.
/// Golden bytes: SegmentIndexFileTests.
package struct SegmentIndexFile: Hashable, Sendable {
    package static let magic: UInt32 = 0x5849_4648
    package static let version: UInt16 = 1
    static let headerByteCount = 24
    static let markByteCount = 24
    package static let byteCountMax = headerByteCount + markByteCount * FormatLimits.indexMarksMax + 4

    package var segment: SegmentID
    package var segmentByteCount: UInt32
    package var spacing: UInt32
    /// At most ``FormatLimits/indexMarksMax``, ascending.
    package var marks: [SegmentMark]

    package init(segment: SegmentID, segmentByteCount: UInt32, spacing: UInt32, marks: [SegmentMark]) {
        self.segment = segment
        self.segmentByteCount = segmentByteCount
        self.spacing = spacing
        self.marks = marks
    }

    package func encoded() -> [UInt8] {
        precondition(self.marks.count <= FormatLimits.indexMarksMax, "\(self.marks.count) marks")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerByteCount + Self.markByteCount * self.marks.count + 4)
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.version)
        bytes.append(littleEndian: UInt16(0))
        bytes.append(littleEndian: self.segment.rawValue)
        bytes.append(littleEndian: self.segmentByteCount)
        bytes.append(littleEndian: self.spacing)
        bytes.append(littleEndian: UInt32(self.marks.count))
        for mark in self.marks {
            bytes.append(littleEndian: mark.offset)
            bytes.append(littleEndian: mark.headerChecksum)
            bytes.append(littleEndian: mark.firstIndex.rawValue)
            bytes.append(littleEndian: mark.timestamp.nanoseconds)
        }
        bytes.append(littleEndian: CRC32C.checksum(bytes.span.bytes))
        return bytes
    }

    /// - Throws: ``FormatError``; the checksum comes before everything but the magic. Memory is bounded by the bytes
    ///   that are there.
    package static func decode(_ bytes: RawSpan) throws(FormatError) -> SegmentIndexFile {
        let least = Self.headerByteCount + 4
        guard bytes.byteCount >= least else { throw .truncated(needed: least, available: bytes.byteCount) }
        let magic = bytes.load(UInt32.self, at: 0)
        guard magic == Self.magic else { throw .badMagic(magic) }
        let count = bytes.load(UInt32.self, at: 20)
        guard count <= FormatLimits.indexMarksMax else { throw .badLength(count) }
        let end = Self.headerByteCount + Self.markByteCount * Int(count)
        guard bytes.byteCount >= end + 4 else { throw .truncated(needed: end + 4, available: bytes.byteCount) }
        guard bytes.byteCount == end + 4 else { throw .trailingBytes(bytes.byteCount - end - 4) }
        let stored = bytes.load(UInt32.self, at: end)
        let computed = CRC32C.checksum(bytes.extracting(..<end))
        guard stored == computed else { throw .checksumMismatch(stored: stored, computed: computed) }
        let version = bytes.load(UInt16.self, at: 4)
        guard version == Self.version else { throw .unsupportedVersion(version) }
        guard bytes.load(UInt16.self, at: 6) == 0 else { throw .reservedNotZero }
        let file = SegmentIndexFile(
            segment: SegmentID(bytes.load(UInt32.self, at: 8)), segmentByteCount: bytes.load(UInt32.self, at: 12),
            spacing: bytes.load(UInt32.self, at: 16),
            marks: (0..<Int(count)).map { SegmentMark(bytes, at: Self.headerByteCount + Self.markByteCount * $0) })
        try file.checkOrder()
        return file
    }

    private func checkOrder() throws(FormatError) {
        for (number, mark) in self.marks.enumerated() {
            guard mark.offset >= UInt32(SegmentHeader.byteCount), mark.offset < self.segmentByteCount else {
                throw .badMark(number)
            }
            guard number > 0 else { continue }
            let before = self.marks[number - 1]
            guard
                mark.offset > before.offset, mark.firstIndex >= before.firstIndex, mark.timestamp >= before.timestamp
            else { throw .badMark(number) }
        }
    }
}

extension SegmentMark {
    fileprivate init(_ bytes: RawSpan, at start: Int) {
        self.init(
            offset: bytes.load(UInt32.self, at: start), headerChecksum: bytes.load(UInt32.self, at: start + 4),
            firstIndex: LogIndex(bytes.load(UInt64.self, at: start + 8)),
            timestamp: Timestamp(nanoseconds: bytes.load(UInt64.self, at: start + 16)))
    }
}
