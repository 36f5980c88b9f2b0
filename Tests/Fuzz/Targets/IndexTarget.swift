import LogModel
import SegmentFormat

/// The sparse index that lies beside a sealed segment.
enum IndexTarget: FuzzTarget {
    static let name = "index"

    static var seeds: [[UInt8]] {
        [0, 1, 5].map { count in
            let marks = (0..<UInt32(count)).map { number in
                SegmentMark(
                    offset: 64 + number * 4096, headerChecksum: number &* 0x9E37_79B9,
                    firstIndex: LogIndex(UInt64(number) * 40),
                    timestamp: Timestamp(nanoseconds: UInt64(number) * 1_000_000))
            }
            return SegmentIndexFile(segment: SegmentID(3), segmentByteCount: 1 << 20, spacing: 4096, marks: marks)
                .encoded()
        }
    }

    static func test(_ input: [UInt8]) {
        Self.check(input)
        var repaired = input
        Repair.last(&repaired)
        Self.check(repaired)
    }

    private static func check(_ bytes: [UInt8]) {
        guard let file = try? SegmentIndexFile.decode(bytes.span.bytes) else { return }
        precondition(file.encoded() == bytes, "another form of the same index")
        precondition(file.marks.count <= FormatLimits.indexMarksMax && bytes.count <= SegmentIndexFile.byteCountMax)
        for (before, after) in zip(file.marks, file.marks.dropFirst()) {
            precondition(before.offset < after.offset && before.firstIndex <= after.firstIndex, "marks out of order")
        }
    }
}
