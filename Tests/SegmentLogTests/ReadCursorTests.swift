import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `Readers and what happens to the log meanwhile` {
    private static func read(
        _ cursor: inout ReadCursor, _ log: EngineHarness, byteCountMax: Int = 1
    ) throws -> [String] {
        var bytes: [UInt8] = []
        let read = try log.store.read(&cursor, byteCountMax: byteCountMax, into: &bytes) { log.tail }
        var records = FrameRecords(bytes, frames: read.frames, origin: read.position, from: .first)
        var values: [String] = []
        while let record = try? records.nextRecord() {
            values.append(String(decoding: record.record.value, as: UTF8.self))
        }
        return values
    }

    /// A cursor behind the record `value`.
    private static func cursor(behind value: String, _ log: EngineHarness) throws -> ReadCursor {
        var cursor = log.store.cursor(at: log.store.first)
        while try self.read(&cursor, log).last != value {}
        return cursor
    }

    @Test func `a reader behind a cut is told so, whatever was appended since`() throws {
        for segmentByteCountMax in [4096, 1 << 20] {
            let log = try EngineHarness(segmentByteCountMax: segmentByteCountMax)
            try log.fill(60)
            let cut = try Self.cursor(behind: EngineHarness.value(39), log)
            var behind = try Self.cursor(behind: EngineHarness.value(49), log)
            var atTail = try Self.cursor(behind: EngineHarness.value(59), log)
            var before = try Self.cursor(behind: EngineHarness.value(29), log)
            var atCut = cut
            try log.writer.truncate(from: cut.position)
            for appended in [0, 5, 20, 100] {
                // The same sizes, so that frames begin where the old ones did.
                try log.fill(appended, prefix: "r")
                for _ in 0..<2 {
                    #expect(throws: LogError.beyondTail(tail: log.tail)) { try Self.read(&behind, log) }
                    #expect(throws: LogError.beyondTail(tail: log.tail)) { try Self.read(&atTail, log) }
                }
            }
            #expect(try Self.read(&atCut, log).last == EngineHarness.value(0))
            var seen: [String] = []
            while before.position < log.tail { seen += try Self.read(&before, log, byteCountMax: 4096) }
            #expect(seen.first == EngineHarness.value(30))
            #expect(seen.last == EngineHarness.value(99))
            #expect(seen.count == 10 + 125)
        }
    }

    @Test func `the lowest of several cuts counts, and many are remembered`() throws {
        let log = try EngineHarness(segmentByteCountMax: 1 << 20)
        func fill(_ numbers: Range<Int>) throws {
            for number in numbers { try log.append(EngineHarness.value(1_000 + number)) }
        }
        try fill(0..<200)
        var cursors: [ReadCursor] = []
        var cursor = log.store.cursor(at: log.store.first)
        while cursor.position < log.tail {
            if try !Self.read(&cursor, log).isEmpty { cursors.append(cursor) }
        }
        #expect(cursors.count == 200)
        // Two cuts, the second below the first; then ever higher ones, more than are told apart.
        try log.writer.truncate(from: cursors[150].position)
        try log.writer.truncate(from: cursors[100].position)
        try fill(101..<200)
        for number in 110..<199 {
            try log.writer.truncate(from: cursors[number].position)
            try fill(number + 1..<200)
        }
        for (number, cursor) in cursors.enumerated() {
            var cursor = cursor
            if number <= 100 {
                #expect(try !Self.read(&cursor, log).isEmpty, "\(number)")
            } else {
                #expect(throws: LogError.beyondTail(tail: log.tail), "\(number)") { try Self.read(&cursor, log) }
            }
        }
    }

    @Test func `the chain is checked across reads and segments`() throws {
        let log = try EngineHarness()
        try log.fill(60)
        var cursor = try Self.cursor(behind: EngineHarness.value(5), log)
        cursor.previous = 1
        let found = #expect(throws: LogError.self) { try Self.read(&cursor, log) }
        guard case .damaged(let damage) = found, case .fault(let fault) = damage.kind,
            case .brokenChain(expected: 1, _) = fault.defect
        else {
            Issue.record("\(String(describing: found))")
            return
        }
        let end = try #require(log.store.segments.first).byteCount
        var atEnd = ReadCursor(position: Position(0, UInt32(end)), previous: 1, truncations: 0)
        #expect(throws: LogError.self) { try Self.read(&atEnd, log) }
    }

    private final class Heard: Sendable {
        private let list = Lock<[Damage]>([])
        var damage: [Damage] { self.list.withLock { $0 } }
        func note(_ damage: Damage) { self.list.withLock { $0.append(damage) } }
    }

    @Test func `what is good before damage is read, and the damage told to whoever listens`() throws {
        let log = try EngineHarness(segmentByteCountMax: 1 << 20)
        try log.fill(10)
        let start = log.tail
        try log.fill(10)
        let heard = Heard()
        log.store.damageFound = { heard.note($0) }
        log.disk.flip(bit: (Int(start.offset) + 60) * 8, of: EngineHarness.path("000000.wal"))
        var cursor = log.store.cursor(at: log.store.first)
        #expect(try Self.read(&cursor, log, byteCountMax: 1 << 20).count == 10)
        #expect(cursor.position == start)
        #expect(heard.damage.isEmpty)
        #expect(throws: LogError.self) { try Self.read(&cursor, log, byteCountMax: 1 << 20) }
        #expect(heard.damage.map(\.range.lowerBound) == [Int(start.offset)])
        #expect(throws: LogError.self) { try log.store.chain(at: log.tail) }
        #expect(heard.damage.count == 1)
    }

    @Test func `a file of a segment that went is not kept for the one that comes`() throws {
        let log = try EngineHarness()
        try log.fill(100)
        let cut = try #require(log.store.segments.dropFirst().first).id
        var kept = try Self.cursor(behind: EngineHarness.value(3), log)
        try log.writer.truncate(from: Position(segment: cut, offset: 64))
        try log.fill(100, prefix: "new")
        var seen: [String] = []
        while kept.position < log.tail { seen += try Self.read(&kept, log, byteCountMax: 4096) }
        #expect(seen.suffix(100) == (0..<100).map { EngineHarness.value($0, prefix: "new") })
    }

    private static func recordCount(_ store: LogStore, _ segments: [SegmentID]) throws -> Int {
        var records = 0
        for id in segments {
            var position = Position(segment: id, offset: 0)
            let end = min(store.written.position, Position(segment: id, offset: .max))
            while position.segment == id, position < end {
                let range = try store.read(from: position, through: end, byteCountMax: 1000)
                if range.bytes.isEmpty { break }
                for frame in FrameSequence(range) { records += Int(frame.header.recordCount) }
                position = range.end
            }
        }
        return records
    }

    @Test func `a hundred segments are read right through two descriptors by four tasks`() async throws {
        let harness = try EngineHarness()
        try harness.fill(100 * 26)
        try harness.writer.sync()
        let count = harness.store.segments.count
        #expect(count > 80)
        harness.disk.killProcess()
        var configuration = harness.configuration
        configuration.openFilesMax = 2
        let store = try #require(try EngineHarness.open(harness.disk, configuration).store)
        let sums = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<4 {
                // Each begins elsewhere and goes round.
                let order = (0..<count).map { SegmentID(UInt32(($0 + task * count / 4) % count)) }
                group.addTask { try Self.recordCount(store, order) }
            }
            var sums: [Int] = []
            for try await sum in group { sums.append(sum) }
            return sums
        }
        #expect(sums == [Int](repeating: 100 * 26, count: 4))
        let counts = store.descriptorCounts
        #expect(counts.misses >= UInt64(count) && counts.hits > 0)
    }

    @Test func `the cache keeps what was used last, whatever the order`() throws {
        let log = try EngineHarness()
        try log.fill(300)
        let count = log.store.segments.count
        #expect(count > 9)
        for capacity in [1, 2, 3, 7] {
            let cache = DescriptorCache(log.store.files, capacity: capacity)
            var model: [SegmentID] = []
            var misses: UInt64 = 0
            var random: UInt64 = UInt64(capacity)
            for step in 0..<2000 {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let segment = SegmentID(UInt32(random >> 33) % UInt32(count))
                if step % 200 == 199 {
                    cache.forget { $0 == segment }
                    model.removeAll { $0 == segment }
                    continue
                }
                let file = try cache.file(of: segment)
                let bytes = try file.read(at: 0, count: SegmentHeader.byteCount)
                let header = try SegmentHeader.decode(bytes.span.bytes)
                #expect(header.segment == segment)
                if !model.contains(segment) { misses += 1 }
                model.removeAll { $0 == segment }
                model.append(segment)
                if model.count > capacity { model.removeFirst() }
                #expect(cache.counts.misses == misses)
            }
        }
    }
}
