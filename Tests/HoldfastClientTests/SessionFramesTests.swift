import LogModel
import NIOCore
import Testing

@testable import HoldfastClient

@Suite struct SessionFramesTests {
    private let receipt = AppendReceipt(
        first: LogIndex(7), last: LogIndex(8), position: Position(1, 364), term: Term(3), durability: .persisted,
        nodes: 2, voters: 3, isDuplicate: true)

    private func hex(_ buffer: ByteBuffer) -> String {
        buffer.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private var batch: ByteBuffer {
        var batch = SessionBatch.encode([
            Record("one"), Record(key: Array("k".utf8)[...], value: [], isTombstone: true, timeToLiveMilliseconds: 300),
        ])
        SessionBatch.number(&batch, as: 5)
        return batch
    }

    private var answers: [SessionAnswer] {
        let problem = ProblemDocument(
            title: "", status: 504, code: "COMMIT_TIMEOUT", detail: "", hint: "", applied: .unknown)
        return [.acknowledged(sequence: 5, self.receipt), .failed(sequence: 6, problem)]
    }

    @Test func `a batch's bytes never change`() {
        let golden = "18000000 0500000000000000 02000000 00 00 03 6f6e65 03 01 00 ac02 6b"
        #expect(self.hex(self.batch) == golden.filter { $0 != " " })
    }

    @Test func `an acknowledgement's bytes never change`() {
        var buffer = ByteBuffer()
        self.answers[0].encode(into: &buffer)
        let golden = """
            28000000 01 03 02 03 0500000000000000 0700000000000000 02000000 01000000 6c010000 0300000000000000
            """
        #expect(self.hex(buffer) == golden.filter { $0 != " " })
    }

    @Test func `a batch is there when its last byte is`() throws {
        let whole = self.batch
        for count in 0..<whole.readableBytes {
            var part = try #require(whole.getSlice(at: 0, length: count))
            #expect(try SessionBatch.next(from: &part) == nil)
            #expect(part.readableBytes == count)
        }
        var two = whole
        two.writeImmutableBuffer(whole)
        for _ in 0..<2 {
            let batch = try #require(try SessionBatch.next(from: &two))
            #expect(batch.sequence == 5 && batch.count == 2 && batch.records.readableBytes == whole.readableBytes - 16)
        }
        #expect(two.readableBytes == 0)
    }

    @Test func `batches that never end with a piece keep the memory of a few of them`() throws {
        let stream = ByteBuffer(bytes: (0..<1_000).flatMap { _ in self.batch.readableBytesView })
        var rest = stream
        var input = ByteBuffer()
        var count = 0
        // One byte less than a batch at first: from then on each piece ends within one.
        while let piece = rest.readSlice(
            length: min(rest.readableBytes, self.batch.readableBytes - (count == 0 ? 1 : 0))),
            piece.readableBytes > 0
        {
            input.add(ByteBuffer(bytes: piece.readableBytesView))
            while try SessionBatch.next(from: &input) != nil { count += 1 }
        }
        #expect(count == 1_000 && input.readableBytes == 0)
        #expect(input.capacity <= 8 * self.batch.readableBytes, "\(input.capacity)")
    }

    @Test func `answers are read back, each when its last byte is there`() throws {
        var buffer = ByteBuffer()
        for answer in self.answers { answer.encode(into: &buffer) }
        for count in 0..<44 {
            var part = try #require(buffer.getSlice(at: 0, length: count))
            #expect(try SessionAnswer.next(from: &part) == nil)
        }
        for answer in self.answers { #expect(try SessionAnswer.next(from: &buffer) == answer) }
        #expect(try SessionAnswer.next(from: &buffer) == nil)
    }

    @Test func `lengths are judged before anything is kept, and what is no answer is refused`() {
        var long = ByteBuffer(bytes: [0, 0, 0, 1])
        #expect(throws: FrameError.tooLong(byteCount: 1 << 24, byteCountMax: SessionBatch.byteCountMax)) {
            try SessionBatch.next(from: &long)
        }
        var short = ByteBuffer(bytes: [3, 0, 0, 0, 1, 2, 3])
        #expect(throws: FrameError.tooShort(byteCount: 3)) { try SessionBatch.next(from: &short) }
        for (bytes, error) in [
            ([1, 0, 0, 0, 9], FrameError.unknownKind(9)), ([0, 0, 0, 0], .tooShort(byteCount: 0)),
            ([2, 0, 0, 0, 1, 1], .badFrame), ([2, 0, 0, 0, 2, 1], .badFrame),
        ] as [([UInt8], FrameError)] {
            var buffer = ByteBuffer(bytes: bytes)
            #expect(throws: error) { try SessionAnswer.next(from: &buffer) }
        }
    }
}
