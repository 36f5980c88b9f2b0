import LogModel
import SegmentFormat
import Testing

struct SegmentIndexFileTests {
    private let file = SegmentIndexFile(
        segment: SegmentID(7), segmentByteCount: 4_096, spacing: 1_024,
        marks: [
            SegmentMark(
                offset: 64, headerChecksum: 0xdead_beef, firstIndex: LogIndex(42), timestamp: Timestamp(nanoseconds: 5)),
            SegmentMark(
                offset: 1_100, headerChecksum: 0xcafe_babe, firstIndex: LogIndex(43),
                timestamp: Timestamp(nanoseconds: 5)),
        ])

    private func decode(_ bytes: [UInt8]) throws(FormatError) -> SegmentIndexFile {
        try SegmentIndexFile.decode(bytes.span.bytes)
    }

    @Test func `version 1 bytes never change`() throws {
        let golden = """
            48464958 0100 0000 07000000 00100000 00040000 02000000
            40000000 efbeadde 2a00000000000000 0500000000000000
            4c040000 bebafeca 2b00000000000000 0500000000000000
            ef8785d4
            """
        #expect(hex(self.file.encoded()) == packed(golden))
        #expect(try self.decode(self.file.encoded()) == self.file)
    }

    @Test func `every truncation, every single-bit flip and every byte too many is refused`() {
        let bytes = self.file.encoded()
        for count in bytes.indices {
            #expect(throws: FormatError.self) { try self.decode(Array(bytes[..<count])) }
        }
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: FormatError.self, "bit \(bit)") { try self.decode(damaged) }
        }
        #expect(throws: FormatError.trailingBytes(1)) { try self.decode(bytes + [0]) }
    }

    @Test func `marks out of order or outside are refused by number`() {
        let changes: [(inout SegmentIndexFile) -> Void] = [
            { $0.marks[1].offset = 64 }, { $0.marks[1].offset = 4_096 }, { $0.marks[1].firstIndex = LogIndex(41) },
            { $0.marks[1].timestamp = Timestamp(nanoseconds: 4) },
        ]
        for change in changes {
            var file = self.file
            change(&file)
            #expect(throws: FormatError.badMark(1)) { try self.decode(file.encoded()) }
        }
        var file = self.file
        file.marks[0].offset = 63
        #expect(throws: FormatError.badMark(0)) { try self.decode(file.encoded()) }
    }

    @Test func `no marks and as many as there may be come back`() throws {
        for count in [0, FormatLimits.indexMarksMax] {
            let file = SegmentIndexFile(
                segment: .first, segmentByteCount: .max, spacing: 1,
                marks: (0..<count).map {
                    SegmentMark(
                        offset: 64 + UInt32($0), headerChecksum: UInt32($0), firstIndex: .first, timestamp: .zero)
                })
            let bytes = file.encoded()
            #expect(bytes.count <= SegmentIndexFile.byteCountMax)
            #expect(try self.decode(bytes) == file)
        }
    }
}
