import LogModel
import SegmentFormat
import SegmentLog

enum FrameHeaderTarget: FuzzTarget {
    static let name = "frame-header"

    static var seeds: [[UInt8]] {
        [ShippedRangeTarget.frames.map(\.bytes), [[UInt8](repeating: 0, count: 56)]].flatMap { $0 }
    }

    static func test(_ input: [UInt8]) {
        Self.check(input)
        var repaired = input
        Repair.frame(&repaired)
        Self.check(repaired)
    }

    private static func check(_ bytes: [UInt8]) {
        guard var header = try? FrameHeader.decode(bytes.span.bytes) else { return }
        precondition(header.length <= UInt32(FormatLimits.frameByteCountMax) && header.payloadByteCount >= 0)
        precondition(header.recordCount <= UInt32(FormatLimits.recordsPerFrameMax))
        let copy = header
        var encoded = [UInt8](repeating: 0xff, count: header.headerByteCount)
        do {
            var elements = encoded.mutableSpan
            var out = elements.mutableBytes
            header.encode(into: &out)
        }
        precondition(header == copy, "encoding changed the header")
        precondition(bytes.starts(with: encoded), "another form of the same header")
    }
}

/// `u16 count | payload`
enum RecordsTarget: FuzzTarget {
    static let name = "records"

    static var seeds: [[UInt8]] {
        (1...Samples.records.count).compactMap { count in
            Self.payload(Array(Samples.records.prefix(count))).map { [UInt8(count), 0] + $0 }
        }
    }

    static func test(_ input: [UInt8]) {
        guard input.count >= 2 else { return }
        let count = Int(input[0]) | Int(input[1]) << 8
        let payload = input[2...]
        let isGood = (try? RecordReader.verify(payload.span.bytes, count: count, flags: [])) != nil
        let read = Self.read(payload, count: count)
        precondition(isGood == (read != nil), "reading and verifying disagree")
        guard let read, !read.isEmpty else { return }
        precondition(
            read.reduce(0) { $0 + $1.key.count + $1.value.count } <= payload.count, "more bytes than there are")
        guard let again = Self.payload(read) else { preconditionFailure("what was read cannot be written") }
        precondition(again == payload, "another form of the same records")
    }

    private static func read(_ payload: Bytes, count: Int) -> [Record]? {
        var reader = RecordReader(payload: payload, count: count, flags: [])
        var skipper = reader
        var records: [Record] = []
        while true {
            do throws(FormatError) {
                let remaining = reader.remaining
                guard let record = try reader.next() else { return records }
                try skipper.skip()
                precondition(reader.remaining == remaining - 1 && skipper.remaining == reader.remaining)
                records.append(record)
            } catch {
                return nil
            }
        }
    }

    private static func payload(_ records: [Record]) -> Bytes? {
        guard let draft = try? FrameDraft.records(records) else { return nil }
        var chain = FrameChain(empty: Samples.cluster)
        chain.tail = Position(0, 100)
        return chain.place(draft, term: Term(1), node: NodeID(1), timestamp: .zero).payload
    }
}

/// A compressed payload as it stands, and with a length in front that fits it: `u8 bit 1: replace the length | payload`.
enum CompressedRecordsTarget: FuzzTarget {
    static let name = "compressed-records"

    static var seeds: [[UInt8]] {
        let records = (0..<40).flatMap { Array("{\"number\":\($0),\"name\":\"somebody\"}\n".utf8) }
        guard let payload = CompressedRecords.deflate(records.span.bytes, level: 1) else { return [] }
        return [[0] + payload, [1] + payload.dropFirst(2)]
    }

    static func test(_ input: [UInt8]) {
        guard let mode = input.first else { return }
        var payload = Array(input.dropFirst())
        if mode & 1 == 1 {
            // The length that the stream really has is seldom hit by chance.
            var prefix: [UInt8] = []
            Varint.append(UInt64(mode >> 1) * 13, to: &prefix)
            payload = prefix + payload
        }
        guard let records = try? CompressedRecords.inflate(payload.span.bytes) else { return }
        precondition(records.count <= FormatLimits.frameByteCountMax, "\(records.count) bytes")
        guard let again = CompressedRecords.deflate(records.span.bytes, level: 6) else { return }
        precondition(again.count < records.count, "compressed to more")
        guard let back = try? CompressedRecords.inflate(again.span.bytes) else {
            preconditionFailure("what was deflated is refused")
        }
        precondition(back == records, "deflating and inflating gives something else")
    }
}

enum SegmentHeaderTarget: FuzzTarget {
    static let name = "segment-header"

    static var seeds: [[UInt8]] {
        var chain = FrameChain(empty: Samples.cluster)
        let founding = chain.startSegment()
        let header = SegmentHeader(
            cluster: Samples.cluster, segment: SegmentID(7), firstIndex: LogIndex(1 << 40),
            previousChecksum: 0xcafe_babe,
            previousLength: 1 << 20)
        return [founding, header.encoded() + [1, 2, 3]]
    }

    static func test(_ input: [UInt8]) {
        Self.check(input)
        var repaired = input
        Repair.segmentHeader(&repaired)
        Self.check(repaired)
    }

    private static func check(_ bytes: [UInt8]) {
        guard let header = try? SegmentHeader.decode(bytes.span.bytes) else { return }
        precondition(bytes.starts(with: header.encoded()), "another form of the same header")
    }
}

/// The two slots of VOTE or DURABLE.
enum SlotTarget: FuzzTarget {
    static let name = "slots"
    private static let magics: [UInt32] = [0x4F56_4648, 0x5544_4648]

    static var seeds: [[UInt8]] {
        Self.magics.map { magic in
            let words = [UInt32](1...UInt32(Slot.wordCount))
            return [3, 2].flatMap { Slot(flags: 1, sequence: $0, words: words).encoded(magic: magic) }
        }
    }

    static func test(_ input: [UInt8]) {
        Self.check(input)
        var repaired = input
        Repair.slot(&repaired)
        Repair.slot(&repaired, at: Slot.byteCount)
        Self.check(repaired)
    }

    private static func check(_ bytes: [UInt8]) {
        for magic in Self.magics {
            guard let newest = Slot.newest(of: bytes, at: [0, Slot.byteCount], magic: magic) else { continue }
            let slots = [0, Slot.byteCount].compactMap { start -> Slot? in
                guard start + Slot.byteCount <= bytes.count else { return nil }
                let part = bytes[start..<start + Slot.byteCount]
                guard let slot = Slot.decode(part.span.bytes, magic: magic) else { return nil }
                precondition(slot.encoded(magic: magic) == Array(part), "another form of the same slot")
                return slot
            }
            precondition(slots.allSatisfy { $0.sequence <= newest.sequence }, "an older slot counts")
        }
    }
}

enum IdentityTarget: FuzzTarget {
    static let name = "identity"

    static var seeds: [[UInt8]] {
        [nil, Samples.cluster].map { cluster in
            NodeIdentity(
                cluster: cluster, node: NodeID(3), incarnation: Incarnation(0x9f3c_5a77_0000_0001), generation: 1,
                starts: 17, lives: [Life(0x4b), Life(0x8d)]
            ).encoded()
        }
    }

    static func test(_ input: [UInt8]) {
        guard let identity = NodeIdentity(decoding: input) else { return }
        precondition(identity.encoded() == input, "another form of the same identity")
    }
}
