import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `Reading` {
    @Test func `each record is found by its index, each frame by its position`() throws {
        let log = try EngineHarness()
        var positions: [Position] = []
        for number in 0..<100 {
            let (bytes, position) = log.nextFrame([EngineHarness.value(number), "second"])
            try log.writer.append(bytes[...], at: position)
            positions.append(try #require(try log.store.position(of: LogIndex(UInt64(number * 2 + 1)))))
        }
        for isReopened in [false, true] {
            let log = isReopened ? try Self.reopened(log) : log.store
            for (number, position) in positions.enumerated() {
                for index in [number * 2 + 1, number * 2 + 2] {
                    #expect(try log.position(of: LogIndex(UInt64(index))) == position)
                }
                let range = try log.read(from: position, through: log.written.position, byteCountMax: 1)
                #expect(range.position == position)
                let frame = try #require(FrameSequence(range).first { _ in true })
                #expect(frame.header.firstIndex == LogIndex(UInt64(number * 2 + 1)))
            }
            #expect(try log.position(of: LogIndex(201)) == nil)
        }
    }

    private static func reopened(_ log: EngineHarness) throws -> LogStore {
        log.disk.killProcess()
        return try EngineHarness(log.disk).store
    }

    @Test func `frames are found by time`() throws {
        let log = try EngineHarness()
        var expected: [(Timestamp, Position)] = []
        for number in 0..<100 {
            var chain = log.writer.chain
            let draft = try FrameDraft.records([Record(EngineHarness.value(number))])
            let timestamp = Timestamp(nanoseconds: UInt64(10_000 + number * 10))
            if Int(chain.tail.offset) + draft.byteCount > 4096 {
                try log.append("rotates")
                chain = log.writer.chain
            }
            let frame = chain.place(draft, term: Term(1), node: NodeID(1), timestamp: timestamp)
            try log.writer.append(frame.bytes[...], at: frame.position)
            expected.append((timestamp, frame.position))
        }
        for (timestamp, position) in expected {
            let found = try #require(try log.store.positionAtOrAfter(timestamp))
            #expect(found == position)
            let earlier = Timestamp(nanoseconds: timestamp.nanoseconds - 5)
            #expect(try #require(try log.store.positionAtOrAfter(earlier)) <= position)
        }
        #expect(try log.store.positionAtOrAfter(Timestamp(nanoseconds: .max)) == nil)
        #expect(try log.store.positionAtOrAfter(.zero) == Position(0, 64))
    }

    @Test func `the chain at every frame's end says what comes next`() throws {
        let log = try EngineHarness()
        var chains = [log.writer.chain]
        for number in 0..<60 {
            try log.append(EngineHarness.value(number))
            chains.append(log.writer.chain)
        }
        for chain in chains { #expect(try log.store.chain(at: chain.tail) == chain) }
        #expect(throws: LogError.noFrame(at: Position(0, 65))) { try log.store.chain(at: Position(0, 65)) }
        #expect(throws: LogError.beyondTail(tail: log.tail)) {
            try log.store.chain(at: log.tail.advanced(by: 1))
        }
    }

    @Test func `a limit holds, a frame larger than asked for comes whole, and the end is empty`() throws {
        let log = try EngineHarness(segmentByteCountMax: 1 << 20)
        try log.append("a")
        let middle = log.tail
        try log.append(String(repeating: "b", count: 100_000))
        let range = try log.store.read(from: .zero, through: middle, byteCountMax: 1 << 20)
        #expect(range.position == .zero && range.end == middle)
        let large = try log.store.read(from: middle, through: log.tail, byteCountMax: 10)
        #expect(large.end == log.tail && large.bytes.count > 100_000)
        #expect(try log.store.read(from: log.tail, through: log.tail, byteCountMax: 10).bytes.isEmpty)
        #expect(try log.store.read(from: log.tail, through: middle, byteCountMax: 10).bytes.isEmpty)
    }

    @Test func `positions that are none, or not here, are told apart from damage`() throws {
        let log = try EngineHarness()
        try log.fill(60)
        let tail = log.tail
        for offset in [1, 63, 65, 300] as [UInt32] {
            #expect(throws: LogError.noFrame(at: Position(1, offset))) {
                try log.store.read(from: Position(1, offset), through: tail, byteCountMax: 100)
            }
        }
        for position in [tail.advanced(by: 1), Position(99, 0)] {
            #expect(throws: LogError.beyondTail(tail: tail)) {
                try log.store.read(from: position, through: tail, byteCountMax: 100)
            }
        }
    }

    @Test func `no flipped bit in a sealed segment is ever read`() throws {
        let log = try EngineHarness()
        try log.fill(40)
        try log.writer.sync()
        let bits = try #require(log.store.segments.first).byteCount * 8
        let path = EngineHarness.path("000000.wal")
        let expected = try log.values()
        let end = Position(0, UInt32(bits / 8))
        for bit in stride(from: 0, to: bits, by: 13) {
            log.disk.flip(bit: bit, of: path)
            #expect(throws: LogError.self, "bit \(bit)") { try Self.readAll(log.store, end) }
            log.disk.flip(bit: bit, of: path)
            // What was found damaged is not read again before it is known to be good.
            #expect(throws: LogError.self, "bit \(bit)") { try Self.readAll(log.store, end) }
            log.store.repaired(.first, 0..<bits / 8)
        }
        #expect(try log.values() == expected)
    }

    private static func readAll(_ store: LogStore, _ tail: Position) throws(LogError) {
        var position = store.first
        while position < tail { position = try store.read(from: position, through: tail, byteCountMax: 512).end }
    }

    @Test func `a damaged range is named`() throws {
        let log = try EngineHarness()
        try log.append("a")
        let start = try log.append("b")
        let end = log.tail
        log.disk.flip(bit: Int(end.offset) * 8 - 1, of: EngineHarness.path("000000.wal"))
        let error = #expect(throws: LogError.self) {
            try log.store.read(from: start, through: end, byteCountMax: 100)
        }
        guard case .damaged(let damage) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(damage.segment == .first)
        #expect(damage.range == Int(start.offset)..<Int(end.offset))
        #expect(damage.description.contains("000000.wal is damaged in bytes \(start.offset)..<\(end.offset)"))
    }

    @Test func `descriptors are shared up to the capacity, the least recently used goes first`() throws {
        let log = try EngineHarness()
        try log.fill(150)
        let cache = DescriptorCache(log.store.files, capacity: 2)
        #expect(log.tail.segment >= SegmentID(3))
        let first = try cache.file(of: SegmentID(0))
        _ = try cache.file(of: SegmentID(1))
        _ = try cache.file(of: SegmentID(0))
        #expect(cache.counts == (1, 2))
        _ = try cache.file(of: SegmentID(2))
        _ = try cache.file(of: SegmentID(0))
        #expect(cache.counts == (2, 3))
        _ = try cache.file(of: SegmentID(1))
        #expect(cache.counts == (2, 4))
        _ = try cache.file(of: SegmentID(3))
        // Gone from the cache, and still open for whoever reads from it.
        #expect(try first.read(at: 0, count: 64).count == 64)
    }

    @Test func `a checkpoint can be read from every segment`() throws {
        let log = try EngineHarness()
        // So short that it is read together with the checkpoint.
        try log.append("")
        try log.fill(60)
        for segment in log.store.segments {
            #expect(try Array(log.store.checkpoint(of: segment.id)) == EngineHarness.checkpointPayload)
        }
    }
}
