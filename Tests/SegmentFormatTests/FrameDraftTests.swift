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

    @Test func `a run is made of single records, each checked before it is taken`() throws {
        let first = ProducerSequence(producer: 7, sequence: 3)
        let payloads = try Samples.records.map { record in
            var chain = Samples.chain
            let frame = chain.place(try .records([record]), term: Term(9), node: NodeID(1), timestamp: .zero)
            return Array(frame.payload)
        }
        var run = RunDraft(from: first)
        for payload in payloads {
            #expect(throws: FormatError.self) {
                let cut = Array(payload.dropLast())
                return try run.add(cut.span.bytes)
            }
            #expect(throws: FormatError.trailingBytes(payload.count)) {
                let twice = payload + payload
                return try run.add(twice.span.bytes)
            }
            try run.add(payload.span.bytes)
        }
        #expect(run.count == Samples.records.count)
        var (here, there) = (Samples.chain, Samples.chain)
        let whole = try FrameDraft.records(Samples.records, label: .run(from: first))
        let placed = here.place(whole, term: Term(9), node: NodeID(1), timestamp: .zero)
        let copy = there.place(run.finish(), term: Term(9), node: NodeID(1), timestamp: .zero)
        #expect(copy.bytes == placed.bytes)
        var single = RunDraft(from: first)
        let payload = payloads[0]
        try single.add(payload.span.bytes)
        #expect(single.finish().label == .producer(first))
    }

    @Test func `a run has as many records as a frame may`() throws {
        var run = RunDraft(from: ProducerSequence(producer: 7, sequence: 1))
        let empty: [UInt8] = [0, 0, 0]
        for _ in 0..<FormatLimits.recordsPerFrameMax { try run.add(empty.span.bytes) }
        #expect(throws: FormatError.tooManyRecords(count: 65_536, max: 65_535)) {
            let one = empty
            return try run.add(one.span.bytes)
        }
        let large: [UInt8] = [0, 0, 0x80, 0x80, 0x80, 0x08] + [UInt8](repeating: 7, count: 16 << 20)
        var full = RunDraft(from: ProducerSequence(producer: 7, sequence: 1))
        #expect(throws: FormatError.frameTooLarge(byteCount: 72 + large.count, max: 16 << 20)) {
            let bytes = large
            return try full.add(bytes.span.bytes)
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
