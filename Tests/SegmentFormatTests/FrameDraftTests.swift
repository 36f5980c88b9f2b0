import LogModel
import SegmentFormat
import Testing

struct FrameDraftTests {
    @Test func `limits are refused by name before anything is encoded`() throws {
        #expect(throws: FormatError.noRecords) { try FrameDraft.records([]) }

        let many = [Record](repeating: Record(value: []), count: FormatLimits.recordsPerFrameMax)
        #expect(try FrameDraft.records(many).byteCount == 56 + 3 * many.count)
        #expect(throws: FormatError.tooManyRecords(count: 65_536, max: 65_535)) {
            try FrameDraft.records(many + [Record(value: [])])
        }

        let room = FormatLimits.frameByteCountMax - 56 - 1 - 1 - 4
        let largest = Bytes(repeating: 1, count: room)
        #expect(try FrameDraft.records([Record(value: largest)]).byteCount == FormatLimits.frameByteCountMax)
        #expect(throws: FormatError.frameTooLarge(byteCount: (16 << 20) + 1, max: 16 << 20)) {
            try FrameDraft.records([Record(value: largest + [1])])
        }
    }

    @Test func `records that somebody else has encoded make the same frame, and are checked first`() throws {
        let label = AppendLabel.producer(ProducerSequence(producer: 7, sequence: 1))
        let draft = try FrameDraft.records(Samples.records, label: label)
        var (here, there) = (Samples.chain, Samples.chain)
        let placed = here.place(draft, term: Term(9), node: NodeID(1), timestamp: .zero)
        let payload = Array(placed.payload)
        let count = Samples.records.count
        let copy = try FrameDraft.records(encoded: payload.span.bytes, count: count, label: label)
        #expect(there.place(copy, term: Term(9), node: NodeID(1), timestamp: .zero).bytes == placed.bytes)
        #expect(throws: FormatError.noRecords) {
            try FrameDraft.records(encoded: payload.span.bytes, count: 0, label: label)
        }
        #expect(throws: FormatError.trailingBytes(1)) {
            let longer = payload + [0]
            return try FrameDraft.records(encoded: longer.span.bytes, count: count, label: label)
        }
        for byteCount in 0..<payload.count {
            #expect(throws: FormatError.self) {
                let cut = Array(payload[..<byteCount])
                return try FrameDraft.records(encoded: cut.span.bytes, count: count, label: label)
            }
        }
    }

    @Test func `placing keeps the draft's storage`() throws {
        var chain = Samples.chain
        let draft = try FrameDraft.records([Record("x")])
        #expect(draft.byteCount == 60)
        #expect(draft.recordCount == 1)
        let frame = chain.place(draft, term: Term(9), node: NodeID(1), timestamp: .zero)
        #expect(frame.end == Position(3, 1_124))
        #expect(frame.bytes.count == draft.byteCount)
    }

    @Test func `a draft can be placed twice in different logs`() throws {
        let draft = try FrameDraft.records(Samples.records)
        var (here, there) = (Samples.chain, Samples.chain)
        there.nextIndex = LogIndex(1_000)
        let a = here.place(draft, term: Term(9), node: NodeID(1), timestamp: .zero)
        let b = there.place(draft, term: Term(9), node: NodeID(1), timestamp: .zero)
        #expect(a.payload == b.payload)
        #expect(a.header.firstIndex == LogIndex(42))
        #expect(b.header.firstIndex == LogIndex(1_000))
        #expect(try FrameHeader.decode(a.bytes.span.bytes) == a.header)
    }
}
