import LogModel

/// The first 64 bytes of a segment file, little-endian.
///
///      0 u32 magic               "HFSG"
///      4 u16 version
///      6 u16 zero
///      8 u64 cluster, high half
///     16 u64 cluster, low half
///     24 u64 first index         of the next record when the segment began
///     32 u32 segment
///     36 u32 previous checksum   header checksum of the frame before, across segments
///     40 u32 previous length     final length of the segment before; 0 for segment 0
///     44 16 bytes of zero
///     60 u32 CRC-32C of bytes 0 ..< 60
///
/// The checksum is checked before the version, so that a damaged version is never mistaken for a newer one.
/// Golden bytes: SegmentHeaderTests.
package struct SegmentHeader: Hashable, Sendable {
    package static let byteCount = 64
    package static let magic: UInt32 = 0x4753_4648
    package static let version: UInt16 = 1

    package var cluster: ClusterID
    package var segment: SegmentID
    package var firstIndex: LogIndex
    package var previousChecksum: UInt32
    package var previousLength: UInt32

    package init(
        cluster: ClusterID, segment: SegmentID, firstIndex: LogIndex, previousChecksum: UInt32, previousLength: UInt32
    ) {
        self.cluster = cluster
        self.segment = segment
        self.firstIndex = firstIndex
        self.previousChecksum = previousChecksum
        self.previousLength = previousLength
    }

    package func encoded() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        var elements = bytes.mutableSpan
        var out = elements.mutableBytes
        out.store(Self.magic, at: 0)
        out.store(Self.version, at: 4)
        out.store(self.cluster.high, at: 8)
        out.store(self.cluster.low, at: 16)
        out.store(self.firstIndex.rawValue, at: 24)
        out.store(self.segment.rawValue, at: 32)
        out.store(self.previousChecksum, at: 36)
        out.store(self.previousLength, at: 40)
        out.store(CRC32C.checksum(out.bytes.extracting(0..<60)), at: 60)
        return bytes
    }

    /// Reads the header at the start of `bytes`, which may hold more behind it.
    ///
    /// - Throws: ``FormatError/truncated(needed:available:)``, ``FormatError/badMagic(_:)``,
    ///   ``FormatError/checksumMismatch(stored:computed:)``, ``FormatError/unsupportedVersion(_:)`` or
    ///   ``FormatError/reservedNotZero``, in this order.
    package static func decode(_ bytes: RawSpan) throws(FormatError) -> SegmentHeader {
        guard bytes.byteCount >= Self.byteCount else {
            throw .truncated(needed: Self.byteCount, available: bytes.byteCount)
        }
        let magic = bytes.load(UInt32.self, at: 0)
        guard magic == Self.magic else { throw .badMagic(magic) }
        let stored = bytes.load(UInt32.self, at: 60)
        let computed = CRC32C.checksum(bytes.extracting(0..<60))
        guard stored == computed else { throw .checksumMismatch(stored: stored, computed: computed) }
        let version = bytes.load(UInt16.self, at: 4)
        guard version == Self.version else { throw .unsupportedVersion(version) }
        guard bytes.load(UInt16.self, at: 6) == 0, bytes.isZero(44..<60) else { throw .reservedNotZero }
        return SegmentHeader(
            cluster: ClusterID(high: bytes.load(UInt64.self, at: 8), low: bytes.load(UInt64.self, at: 16)),
            segment: SegmentID(bytes.load(UInt32.self, at: 32)),
            firstIndex: LogIndex(bytes.load(UInt64.self, at: 24)),
            previousChecksum: bytes.load(UInt32.self, at: 36),
            previousLength: bytes.load(UInt32.self, at: 40)
        )
    }

    /// As ``decode(_:)``, and refuses a segment of another cluster.
    package static func decode(_ bytes: RawSpan, of cluster: ClusterID) throws(FormatError) -> SegmentHeader {
        let header = try Self.decode(bytes)
        guard header.cluster == cluster else { throw .foreignCluster(found: header.cluster, expected: cluster) }
        return header
    }
}
