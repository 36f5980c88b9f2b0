import LogModel
import SegmentFormat

/// What a backup holds: the file BACKUP, text that a person can read, guarded by a checksum.
///
///     holdfast backup 1
///     cluster 00112233445566778899aabbccddeeff
///     generation 1
///     node 2                                          (that was asked for the last bytes)
///     taken 1796000000000000000                       (nanoseconds since 1970, of whoever made it)
///     end 1:4096 term 3 next 4001 time 1795999999999999999
///     segment 0 first 1 bytes 1048576 checksum 001b2c3d      (ascending; header checksum of the last frame)
///     segment 1 first 3900 bytes 4096 checksum 9f3c5a77
///     crc32c 1a2b3c4d                                 (of all lines above)
///
/// Committed bytes never change, so a file may go on behind what the manifest says of it: a later run has begun, and the
/// backup is still what it was. Golden bytes: BackupManifestTests.
package struct BackupManifest: Hashable, Sendable {
    package struct Segment: Hashable, Sendable {
        package var id: SegmentID
        package var firstIndex: LogIndex
        package var byteCount: UInt32
        /// Header checksum of its last frame: since frames form a chain, it stands for all before.
        package var checksum: UInt32

        package init(id: SegmentID, firstIndex: LogIndex, byteCount: UInt32, checksum: UInt32) {
            self.id = id
            self.firstIndex = firstIndex
            self.byteCount = byteCount
            self.checksum = checksum
        }
    }

    package static let fileName = "BACKUP"
    package static let byteCountMax = 16 << 20
    /// Their lines fit into ``byteCountMax``, however long their numbers are.
    package static let segmentCountMax = 200_000

    package var generation: UInt32
    package var node: NodeID
    package var taken: Timestamp
    /// Where the backup ends, and what comes next there.
    package var end: FrameChain
    /// Ascending and without gaps; never empty.
    package var segments: [Segment]

    package init(generation: UInt32, node: NodeID, taken: Timestamp, end: FrameChain, segments: [Segment]) {
        self.generation = generation
        self.node = node
        self.taken = taken
        self.end = end
        self.segments = segments
    }

    package var cluster: ClusterID { self.end.cluster }
    package var byteCount: Int { self.segments.reduce(0) { $0 + Int($1.byteCount) } }
    package var firstIndex: LogIndex { self.segments.first?.firstIndex ?? .first }

    package func encoded() -> [UInt8] {
        ChecksummedText.encode(
            [
                "holdfast backup 1",
                "cluster \(self.cluster)",
                "generation \(self.generation)",
                "node \(self.node)",
                "taken \(self.taken)",
                "end \(self.end.tail) term \(self.end.term) next \(self.end.nextIndex) time \(self.end.timestamp)",
            ]
                + self.segments.map { segment in
                    "segment \(segment.id) first \(segment.firstIndex) bytes \(segment.byteCount) checksum "
                        + ChecksummedText.hexadecimal(UInt64(segment.checksum), digits: 8)
                })
    }

    /// - Returns: `nil` for anything that ``encoded()`` does not write, and for segments that do not lead to the end.
    package init?(decoding bytes: [UInt8]) {
        guard let lines = ChecksummedText.lines(of: bytes), lines.count > 6 else { return nil }
        let words = lines.map { $0.split(separator: " ") }
        guard
            words[1].count == 2, let cluster = ClusterID(String(words[1][1])),
            words[2].count == 2, let generation = UInt32(words[2][1]),
            words[3].count == 2, let node = UInt32(words[3][1]),
            words[4].count == 2, let taken = UInt64(words[4][1]),
            words[5].count == 8, let tail = Position(String(words[5][1])), let term = UInt64(words[5][3]),
            let next = UInt64(words[5][5]), let time = UInt64(words[5][7])
        else { return nil }
        let segments = words.dropFirst(6).compactMap(Self.segment)
        guard let last = segments.last, last.id == tail.segment, last.byteCount == tail.offset,
            zip(segments, segments.dropFirst()).allSatisfy(Self.follow),
            segments.allSatisfy({ $0.byteCount > SegmentHeader.byteCount && $0.firstIndex >= .first }),
            last.firstIndex.rawValue <= next
        else { return nil }
        // Each of these is counted on by whoever restores or goes on.
        guard generation < .max, term < .max, last.id.rawValue < .max else { return nil }
        let end = FrameChain(
            cluster: cluster, tail: tail, previousChecksum: last.checksum, nextIndex: LogIndex(next),
            term: Term(term), timestamp: Timestamp(nanoseconds: time))
        self.init(
            generation: generation, node: NodeID(node), taken: Timestamp(nanoseconds: taken), end: end,
            segments: segments)
        // Only one spelling is right, and the checksum is part of it.
        guard self.encoded() == bytes else { return nil }
    }

    private static func follow(_ segment: Segment, _ next: Segment) -> Bool {
        segment.id < next.id && segment.id.next == next.id && segment.firstIndex <= next.firstIndex
    }

    private static func segment(_ words: [Substring]) -> Segment? {
        guard words.count == 8, let id = UInt32(words[1]), let first = UInt64(words[3]), let bytes = UInt32(words[5]),
            let checksum = UInt32(words[7], radix: 16)
        else { return nil }
        return Segment(id: SegmentID(id), firstIndex: LogIndex(first), byteCount: bytes, checksum: checksum)
    }
}
