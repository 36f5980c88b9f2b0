import LogModel
import SegmentFormat

enum SegmentIndexTarget: FuzzTarget {
    static let name = "segment-index"

    static var seeds: [[UInt8]] {
        [0, 1, 5].map { count in
            SegmentIndexFile(
                segment: SegmentID(7), segmentByteCount: 1 << 20, spacing: 1_024,
                marks: (0..<UInt32(count)).map {
                    SegmentMark(
                        offset: 64 + $0 * 2_000, headerChecksum: $0, firstIndex: LogIndex(UInt64($0) + 1),
                        timestamp: Timestamp(nanoseconds: UInt64($0)))
                }
            ).encoded()
        }
    }

    static func test(_ input: [UInt8]) {
        Self.check(input)
        guard input.count >= 4 else { return }
        var repaired = input
        let checksum = CRC32C.checksum(input.span.bytes.extracting(..<(input.count - 4)))
        for byte in 0..<4 { repaired[input.count - 4 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
        Self.check(repaired)
    }

    private static func check(_ input: [UInt8]) {
        guard let file = try? SegmentIndexFile.decode(input.span.bytes) else { return }
        precondition(file.encoded() == input, "another form of the same index")
        for (mark, next) in zip(file.marks, file.marks.dropFirst()) {
            precondition(mark.offset < next.offset && mark.firstIndex <= next.firstIndex, "marks out of order")
        }
    }
}
