import LogModel
import RangeCodec
import SegmentFormat
import Testing

struct FrameRecordsTests {
    private static let text = (0..<20).map { Record("the same words again and again \($0)") }

    /// Plain, control and compressed frames mixed; behind 10 bytes that are none.
    private static func frames() throws -> (bytes: [UInt8], frames: Range<Int>, records: [IndexedRecord]) {
        var chain = Samples.chain
        var bytes = [UInt8](repeating: 0xff, count: 10)
        var records: [IndexedRecord] = []
        let batches: [(records: [Record], compression: RecordCompression)] = [
            (Samples.records, .none), (Self.text, .deflate(level: 1)), (Self.text, .deflate(level: 9)), ([], .none),
            ([Record("x")], .none), ([], .none), (Self.text, .deflate(level: 6)), (Samples.records, .none), ([], .none),
        ]
        for (number, batch) in batches.enumerated() {
            let draft =
                batch.records.isEmpty
                ? FrameDraft.control(.termStart, payload: [])
                : try FrameDraft.records(
                    batch.records, producer: number % 2 == 0 ? ProducerSequence(producer: 1, sequence: 1) : nil,
                    compression: batch.compression)
            let frame = chain.place(
                draft, term: Term(9 + UInt64(number)), node: NodeID(1), timestamp: Timestamp(nanoseconds: .max))
            for record in batch.records {
                records.append(
                    IndexedRecord(
                        index: LogIndex(42 + UInt64(records.count)), position: frame.position, term: frame.header.term,
                        timestamp: frame.header.timestamp, record: record))
            }
            bytes += frame.bytes
        }
        return (bytes, 10..<bytes.count, records)
    }

    private static let origin = Position(3, 1_054)

    private func all(_ records: FrameRecords) throws(FormatError) -> [IndexedRecord] {
        var records = records
        var all: [IndexedRecord] = []
        while let record = try records.nextRecord() { all.append(record) }
        #expect(try records.nextRecord() == nil)
        return all
    }

    @Test func `records come back from every index on`() throws {
        let (bytes, frames, expected) = try Self.frames()
        for first in 0...expected.count + 2 {
            let records = FrameRecords(
                bytes, frames: frames, origin: Self.origin, from: LogIndex(42 + UInt64(first)))
            let wanted = Array(expected.dropFirst(first))
            #expect(try self.all(records) == wanted)
        }
    }

    @Test func `a frame that cannot be read is told again and again, behind all that can be`() throws {
        var chain = Samples.chain
        let good = chain.place(try .records(Samples.records), term: Term(9), node: NodeID(1), timestamp: .zero).bytes
        var bad = chain.place(
            try .records(Self.text, compression: .deflate(level: 1)), term: Term(9), node: NodeID(1), timestamp: .zero
        ).bytes
        bad[57] ^= 0xff
        for tail in [bad, Self.withTrailingByte(good)] {
            let bytes = good + tail
            let records = FrameRecords(bytes, frames: 0..<bytes.count, origin: Self.origin, from: .first)
            var single = records
            for record in Samples.records { #expect(try single.nextRecord()?.record == record) }
            if tail.count != bad.count { for _ in 0..<3 { _ = try single.nextRecord() } }
            for _ in 0..<2 {
                #expect(throws: FormatError.self) { try single.nextRecord() }
                #expect(single.frame == good.count..<bytes.count)
            }
        }
    }

    /// A frame whose payload is one byte longer than its records.
    private static func withTrailingByte(_ frame: [UInt8]) -> [UInt8] {
        var longer = frame + [0]
        longer[0] += 1
        return longer
    }

    @Test func `the storage comes back unless records are kept`() throws {
        let (bytes, frames, _) = try Self.frames()
        let address = bytes.withUnsafeBufferPointer { $0.baseAddress }
        let records = FrameRecords(bytes, frames: frames, origin: Self.origin, from: .first)
        let back = records.recycled()
        #expect(back.withUnsafeBufferPointer { $0.baseAddress } == address)
    }

    @Test func `frames are checked up to the first that is cut short, damaged or does not follow`() throws {
        let (segment, chains) = try Samples.segment()
        let ends = chains.dropFirst().map { Int($0.tail.offset) }
        for count in 64...segment.count {
            let checked = CheckedFrames(segment.span.bytes.extracting(..<count), from: 64, after: nil)
            #expect(checked.end == (ends.last { $0 <= count } ?? 64))
            if case .incomplete(let needed) = checked.stop {
                #expect(checked.end + needed > count)
            } else {
                #expect(checked.stop == .endOfBytes && checked.end == count)
            }
        }
        for bit in 64 * 8..<segment.count * 8 {
            var damaged = segment
            damaged[bit / 8] ^= 1 << (bit % 8)
            let checked = CheckedFrames(damaged.span.bytes, from: 64, after: 0)
            #expect(checked.end == (ends.last { $0 <= bit / 8 } ?? 64), "bit \(bit)")
            #expect(checked.stop != .endOfBytes)
        }
        let zeros = segment + [UInt8](repeating: 0, count: 100)
        let end = CheckedFrames(zeros.span.bytes, from: 64, after: nil)
        #expect(end.stop == .defect(.endOfData) && end.end == segment.count)
        let stranger = CheckedFrames(segment.span.bytes, from: 64, after: 1)
        #expect(stranger.end == 64 && stranger.stop == .defect(.brokenChain(expected: 1, found: 0)))
    }
}
