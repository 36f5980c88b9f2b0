import LogModel
import NIOCore
import Testing

@testable import HoldfastClient

@Suite struct RecordFrameTests {
    private let records = [
        IndexedRecord(
            index: LogIndex(7), position: Position(1, 364), term: Term(3), timestamp: Timestamp(nanoseconds: 258),
            record: Record("one")),
        IndexedRecord(
            index: LogIndex(8), position: Position(1, 364), term: Term(3), timestamp: Timestamp(nanoseconds: 258),
            record: Record(
                key: Array("k".utf8)[...], value: [], isTombstone: true, timeToLiveMilliseconds: 300)),
    ]
    private let end = PageEnd(next: LogIndex(9), isUpToDate: true, firstIndex: LogIndex(2), lastIndex: LogIndex(8))
    private let problem = ProblemDocument(title: "Gone", status: 410, code: "TRIMMED", detail: "", hint: "")

    private func hex(_ buffer: ByteBuffer) -> String {
        buffer.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private var page: ByteBuffer {
        var buffer = ByteBuffer()
        RecordFrame.encode(self.records, into: &buffer)
        RecordFrame.encode(self.end, into: &buffer)
        return buffer
    }

    @Test func `the bytes of records and of their end never change`() {
        let golden = """
            2b000000 01 00 0000 00000000 0700000000000000 0300000000000000 01000000 6c010000 0201000000000000 6f6e65
            31000000 01 03 0000 01000000 0800000000000000 0300000000000000 01000000 6c010000 0201000000000000
                     2c01000000000000 6b
            1c000000 03 01 0000 0900000000000000 0200000000000000 0800000000000000
            """
        #expect(self.hex(self.page) == golden.filter { $0 != " " && $0 != "\n" })
    }

    @Test func `frames are read back, each when its last byte is there`() throws {
        var whole = self.page
        RecordFrame.encode(self.problem, into: &whole)
        let expected: [RecordFrame] = self.records.map { .record($0) } + [.end(self.end), .failed(self.problem)]
        for count in 0...whole.readableBytes {
            var part = try #require(whole.getSlice(at: 0, length: count))
            var found: [RecordFrame] = []
            while let frame = try RecordFrame.next(from: &part) { found.append(frame) }
            #expect(expected.starts(with: found) && (count < whole.readableBytes || found.count == expected.count))
        }
    }

    @Test func `a page is its records and their end, and nothing that was cut off or goes on`() throws {
        let page = try #require(RecordPage(frames: self.page))
        #expect(page == RecordPage(self.records, self.end))
        for count in 0..<self.page.readableBytes {
            #expect(RecordPage(frames: try #require(self.page.getSlice(at: 0, length: count))) == nil)
        }
        var longer = self.page
        longer.writeInteger(0 as UInt8)
        #expect(RecordPage(frames: longer) == nil)
        var failed = ByteBuffer()
        RecordFrame.encode(self.problem, into: &failed)
        #expect(RecordPage(frames: failed) == nil)
    }

    @Test func `lengths are judged before anything is kept, and what is no frame is refused`() {
        let zeros = [UInt8](repeating: 0, count: 27)
        for (bytes, error) in [
            ([0, 0, 0, 2], .tooLong(byteCount: 1 << 25, byteCountMax: RecordFrame.byteCountMax)),
            ([0, 0, 0, 0], .tooShort(byteCount: 0)), ([1, 0, 0, 0, 9], .unknownKind(9)),
            ([2, 0, 0, 0, 2, 1], .badFrame),
            ([2, 0, 0, 0, 1, 0], .badFrame), ([2, 0, 0, 0, 3, 0], .badFrame),
            ([29, 0, 0, 0, 3] + zeros + [0], .badFrame),
            // A key that is longer than the frame, a ttl that is not there, flags that nobody knows.
            ([40, 0, 0, 0, 1, 0, 0, 0, 1] + zeros + Array(zeros.prefix(8)), .badFrame),
            ([40, 0, 0, 0, 1, 2, 0, 0, 0] + zeros + Array(zeros.prefix(8)), .badFrame),
            ([40, 0, 0, 0, 1, 4, 0, 0, 0] + zeros + Array(zeros.prefix(8)), .badFrame),
        ] as [([UInt8], FrameError)] {
            var buffer = ByteBuffer(bytes: bytes)
            #expect(throws: error, "\(bytes)") { try RecordFrame.next(from: &buffer) }
        }
    }
}
