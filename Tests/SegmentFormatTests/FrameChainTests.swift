import LogModel
import SegmentFormat
import Testing

struct FrameChainTests {
    @Test func `the founding frame is the same bytes everywhere`() {
        var chain = FrameChain(empty: Samples.cluster)
        #expect(chain.isEmpty)
        _ = chain.startSegment()
        #expect(chain.tail == Position(0, 64))
        let state: [UInt8] = [
            1, 0, 0, 0, 2, 1, 0, 0, 0, 0x11, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0x22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]
        let frame = chain.place(
            .control(.checkpoint, payload: state), term: .zero, node: NodeID(0), timestamp: .zero)
        let golden = """
            59000000 e6b1056b e7ac8907 00000000 04 00 0000 00000000 0000000000000000 0100000000000000
            0000000000000000 00000000 00000000
            01000000 02 01000000 1100000000000000 02000000 2200000000000000 00 00 0000
            """
        #expect(hex(frame.bytes) == packed(golden))
        #expect(chain.point == LogPoint(term: .zero, position: Position(0, 153)))
    }

    @Test func `what one chain places another accepts`() throws {
        let (bytes, chains) = try Samples.segment()
        var chain = FrameChain(empty: Samples.cluster)
        var seen: [FrameHeader] = []
        var positions: [Position] = []
        try chain.accept(range: bytes[...], at: .zero) { header, frame, position in
            #expect(frame.count == Int(header.length))
            seen.append(header)
            positions.append(position)
        }
        #expect(chain == chains.last)
        #expect(seen.map(\.kind) == [.checkpoint, .termStart, .records, .records])
        #expect(seen.map(\.firstIndex.rawValue) == [1, 1, 1, 4])
        #expect(positions == chains.dropLast().map(\.tail))
        #expect(chain.nextIndex == LogIndex(5))
    }

    @Test func `a range may begin at any frame, and the next segment continues the chain`() throws {
        let (bytes, chains) = try Samples.segment()
        for chain in chains.dropLast() {
            var chain = chain
            try chain.accept(range: bytes[Int(chain.tail.offset)...], at: chain.tail) { _, _, _ in }
            #expect(chain == chains.last)
        }
        var writer = chains[4]
        var next = writer.startSegment()
        next += writer.place(.control(.checkpoint, payload: []), term: Term(1), node: NodeID(1), timestamp: .zero).bytes
        var reader = chains[4]
        try reader.accept(range: next[...], at: Position(1, 0)) { header, _, _ in
            #expect(header.previous == chains[4].previousChecksum)
        }
        #expect(reader == writer)
        #expect(reader.tail.segment == SegmentID(1))
    }

    @Test func `a timestamp never goes back`() throws {
        var chain = Samples.chain
        let frame = chain.place(
            try .records([Record("x")]), term: Term(9), node: NodeID(1), timestamp: Timestamp(nanoseconds: 5))
        #expect(frame.header.timestamp == Samples.chain.timestamp)
    }

    @Test func `every truncation of a segment is refused`() throws {
        let (bytes, chains) = try Samples.segment()
        let ends = Set(chains.map { Int($0.tail.offset) })
        for count in 0..<bytes.count where !ends.contains(count) {
            var chain = FrameChain(empty: Samples.cluster)
            #expect(throws: FrameDefect.self, "\(count) bytes") {
                try chain.accept(range: bytes[..<count], at: .zero) { _, _, _ in }
            }
        }
    }

    @Test func `every single-bit flip of a segment is refused, and the chain stays before it`() throws {
        let (bytes, chains) = try Samples.segment()
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            var chain = FrameChain(empty: Samples.cluster)
            #expect(throws: FrameDefect.self, "bit \(bit)") {
                try chain.accept(range: damaged[...], at: .zero) { _, _, _ in }
            }
            #expect(Int(chain.tail.offset) <= bit / 8, "bit \(bit)")
            #expect(chain.isEmpty || chains.contains(chain))
        }
    }

    @Test func `a frame that does not belong is refused by name`() throws {
        var writer = Samples.chain
        let frame = writer.place(
            try .records([Record("x")]), term: Term(9), node: NodeID(1), timestamp: .zero
        ).bytes
        func refusal(_ change: (inout FrameChain) -> Void) -> FrameDefect? {
            var chain = Samples.chain
            change(&chain)
            let before = chain
            defer { #expect(chain == before) }
            do throws(FrameDefect) {
                _ = try chain.accept(frame.span.bytes)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal { $0.previousChecksum = 1 } == .brokenChain(expected: 1, found: 0xcafe_babe))
        #expect(refusal { $0.nextIndex = LogIndex(43) } == .wrongIndex(expected: LogIndex(43), found: LogIndex(42)))
        #expect(refusal { $0.term = Term(10) } == .termWentBack(from: Term(10), to: Term(9)))
        #expect(
            refusal { $0.timestamp = Timestamp(nanoseconds: .max) }
                == .timestampWentBack(from: Timestamp(nanoseconds: .max), to: Samples.chain.timestamp))
        #expect(refusal { $0.tail = Position(3, 64) } == .checkpointMissing(found: .records))
        #expect(refusal { $0.tail = Position(3, .max - 8) } == .segmentTooLong)
    }

    @Test func `a checkpoint in the middle of a segment is refused`() throws {
        var writer = Samples.chain
        writer.tail = Position(3, 64)
        let frame = writer.place(.control(.checkpoint, payload: []), term: Term(9), node: NodeID(1), timestamp: .zero)
        var chain = Samples.chain
        #expect(throws: FrameDefect.checkpointMisplaced) { try chain.accept(frame.bytes.span.bytes) }
    }

    @Test func `a segment header that does not belong is refused by name`() throws {
        var writer = Samples.chain
        let header = writer.startSegment()
        func refusal(_ change: (inout FrameChain) -> Void) -> FrameDefect? {
            var chain = Samples.chain
            change(&chain)
            do throws(FrameDefect) {
                _ = try chain.acceptSegmentHeader(header.span.bytes)
                return nil
            } catch {
                return error
            }
        }
        let other = ClusterID(high: 0, low: 1)
        #expect(refusal { _ in } == nil)
        #expect(
            refusal { $0.cluster = other } == .format(.foreignCluster(found: Samples.cluster, expected: other)))
        #expect(
            refusal { $0.tail = Position(4, 1_064) } == .wrongSegment(expected: SegmentID(5), found: SegmentID(4)))
        #expect(refusal { $0.tail = Position(3, 1_065) } == .wrongPreviousLength(expected: 1_065, found: 1_064))
        #expect(refusal { $0.previousChecksum = 1 } == .brokenChain(expected: 1, found: 0xcafe_babe))
        #expect(refusal { $0.nextIndex = LogIndex(1) } == .wrongIndex(expected: LogIndex(1), found: LogIndex(42)))
        #expect(
            refusal { $0.tail = Position(3, 64) }
                == .wrongPosition(expected: Position(3, 64), found: Position(4, 0)))
    }

    @Test func `a range elsewhere than at the tail is refused`() throws {
        let (bytes, chains) = try Samples.segment()
        var chain = chains[2]
        #expect(throws: FrameDefect.wrongPosition(expected: chains[2].tail, found: chains[1].tail)) {
            try chain.accept(range: bytes[...], at: chains[1].tail) { _, _, _ in }
        }
        #expect(throws: FrameDefect.wrongPosition(expected: Position(1, 0), found: .zero)) {
            try chain.accept(range: bytes[...], at: .zero) { _, _, _ in }
        }
    }

    @Test func `zeros end the data in a file and are refused in a range`() throws {
        let (bytes, chains) = try Samples.segment()
        var chain = chains[3]
        let padded = bytes[Int(chain.tail.offset)...] + [UInt8](repeating: 0, count: 60)
        #expect(throws: FrameDefect.endOfData) {
            try chain.accept(range: padded, at: chain.tail) { _, _, _ in }
        }
        #expect(chain == chains[4])
        let zeros = padded.suffix(60)
        #expect(try chain.accept(zeros.span.bytes) == nil)
    }
}
