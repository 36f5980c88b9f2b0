import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `Index files` {
    /// Frames of two records; timestamps rise by 10 with each third frame.
    private static func filled(
        frames: Int = 100, _ disk: SimulatedFileSystem = SimulatedFileSystem()
    ) throws -> (log: EngineHarness, positions: [Position], timestamps: [Timestamp]) {
        var log = try EngineHarness(disk)
        var positions: [Position] = []
        var timestamps: [Timestamp] = []
        for number in 0..<frames {
            log.timestamp = Timestamp(nanoseconds: UInt64(10_000 + number / 3 * 10))
            try log.append(EngineHarness.value(number), "second")
            let end = log.tail
            let index = LogIndex(UInt64(number * 2 + 1))
            positions.append(try #require(try log.store.position(of: index)))
            timestamps.append(log.timestamp)
            #expect(positions.last ?? end < end)
        }
        try log.writer.sync()
        return (log, positions, timestamps)
    }

    private static func writeAll(_ store: LogStore) throws {
        for segment in store.segments.dropLast() { #expect(try store.writeIndexFile(of: segment.id)) }
    }

    private static func path(_ segment: UInt32) -> FilePath {
        EngineHarness.path(SegmentID(segment).indexFileName)
    }

    /// Every record is found, by its index and by its time.
    private static func check(
        _ store: LogStore, _ positions: [Position], _ timestamps: [Timestamp], _ comment: Comment = ""
    ) throws {
        for (number, position) in positions.enumerated() {
            for index in [number * 2 + 1, number * 2 + 2] {
                #expect(try store.position(of: LogIndex(UInt64(index))) == position, comment)
            }
        }
        for timestamp in Set(timestamps) { try Self.check(store, timestamp, comment) }
    }

    /// The first frame at or after a time, beside one that is found by walking through everything.
    private static func check(_ store: LogStore, _ timestamp: Timestamp, _ comment: Comment = "") throws {
        var expected: Position?
        var position = store.first
        let tail = store.written.position
        walk: while position < tail {
            let range = try store.read(from: position, through: tail, byteCountMax: 4096)
            for frame in FrameSequence(range) where frame.header.timestamp >= timestamp {
                expected = frame.position
                break walk
            }
            position = range.end
        }
        #expect(try store.positionAtOrAfter(timestamp) == expected, comment)
    }

    @Test func `a later process seeks without walking segments`() throws {
        let (log, positions, timestamps) = try Self.filled()
        try Self.writeAll(log.store)
        log.disk.killProcess()
        let again = try EngineHarness(log.disk)
        #expect(again.store.segments.count > 3)
        try Self.check(again.store, positions, timestamps)
        for segment in again.store.segments.dropLast() {
            let index = again.store.withLayout { $0.segment(segment.id)?.index }
            #expect(index?.covered == UInt32(segment.byteCount))
            #expect((index?.marks.count ?? 0) > 1)
        }
    }

    @Test func `only sealed segments get a file, and what is missing of the index is walked`() throws {
        let (log, positions, timestamps) = try Self.filled()
        #expect(try !log.store.writeIndexFile(of: log.tail.segment))
        #expect(try !log.store.writeIndexFile(of: SegmentID(1_000)))
        log.disk.killProcess()
        let again = try EngineHarness(log.disk)
        // Nothing has looked into it yet.
        #expect(again.store.withLayout { $0.segment(.first)?.index.marks.isEmpty } == true)
        #expect(try again.store.writeIndexFile(of: .first))
        let names = try log.disk.list(EngineHarness.directory).filter { $0.contains("idx") }
        #expect(names == ["000000.idx"])
        try Self.check(again.store, positions, timestamps)
    }

    @Test func `whatever a file says, seeks find the same`() throws {
        let (log, positions, _) = try Self.filled(frames: 70)
        try Self.writeAll(log.store)
        let path = Self.path(0)
        let bits = try #require(log.disk.contents(of: path)).count * 8
        log.disk.killProcess()
        for bit in 0..<bits {
            log.disk.flip(bit: bit, of: path)
            let store = try EngineHarness(log.disk).store
            for number in stride(from: 0, to: positions.count, by: 17) {
                #expect(try store.position(of: LogIndex(UInt64(number * 2 + 1))) == positions[number], "bit \(bit)")
            }
            log.disk.killProcess()
            log.disk.flip(bit: bit, of: path)
        }
    }

    @Test func `files that lie with a right checksum, empty, torn, or of another segment change nothing`() throws {
        let (log, positions, timestamps) = try Self.filled()
        try Self.writeAll(log.store)
        log.disk.killProcess()
        let own = try #require(log.disk.contents(of: Self.path(1)))
        let other = try #require(log.disk.contents(of: Self.path(2)))
        let whole = try SegmentIndexFile.decode(own.span.bytes)
        let foreign = try SegmentIndexFile.decode(other.span.bytes)
        var lies: [[UInt8]] = [[], Array(own.dropLast(5)), own + [0], other]
        let changes: [(inout SegmentIndexFile) -> Void] = [
            // The marks of another segment under this one's name.
            { $0.marks = foreign.marks.filter { $0.offset < whole.segmentByteCount } },
            // Marks that are none, that say another index, that say another time, and none at all.
            { file in for number in file.marks.indices.dropFirst() { file.marks[number].offset += 1 } },
            { file in for number in file.marks.indices { file.marks[number].firstIndex = .first } },
            { file in for number in file.marks.indices { file.marks[number].timestamp = .zero } },
            { file in for number in file.marks.indices { file.marks[number].headerChecksum ^= 1 } },
            { $0.marks = [] },
            { $0.segmentByteCount += 1 },
        ]
        for change in changes {
            var file = whole
            change(&file)
            lies.append(file.encoded())
        }
        for (number, lie) in lies.enumerated() {
            try log.disk.remove(Self.path(1))
            try log.disk.open(Self.path(1), .create).write(lie.span.bytes, at: 0)
            let store = try EngineHarness(log.disk).store
            try Self.check(store, positions, timestamps, "lie \(number)")
            // And so again, with what the first seeks left in memory.
            try Self.check(store, positions, timestamps, "lie \(number)")
            log.disk.killProcess()
        }
    }

    @Test func `an index that led astray is replaced in memory`() throws {
        let (log, positions, _) = try Self.filled()
        try Self.writeAll(log.store)
        log.disk.killProcess()
        let written = try #require(log.disk.contents(of: Self.path(1)))
        var file = try SegmentIndexFile.decode(written.span.bytes)
        for number in file.marks.indices { file.marks[number].headerChecksum ^= 1 }
        try log.disk.remove(Self.path(1))
        try log.disk.open(Self.path(1), .create).write(file.encoded().span.bytes, at: 0)
        let store = try EngineHarness(log.disk).store
        let last = try #require(positions.lastIndex { $0.segment == SegmentID(1) })
        #expect(try store.position(of: LogIndex(UInt64(last * 2 + 1))) == positions[last])
        let marks = store.withLayout { $0.segment(SegmentID(1))?.index.marks ?? [] }
        #expect(!marks.isEmpty)
        #expect(Set(marks.map(\.headerChecksum)).isDisjoint(with: file.marks.map(\.headerChecksum)))
    }

    @Test func `equal times are found at their first frame, also across segments and beyond both ends`() throws {
        var log = try EngineHarness()
        // All of segments 1 and 2, and some of their neighbours, bear one time.
        for number in 0..<120 {
            let time: UInt64 = number < 20 ? 2_000 : number < 90 ? 3_000 : 4_000
            log.timestamp = Timestamp(nanoseconds: time)
            try log.append(EngineHarness.value(number))
        }
        try log.writer.sync()
        for isReopened in [false, true] {
            if isReopened { log.disk.killProcess() }
            let store = isReopened ? try EngineHarness(log.disk).store : log.store
            for time in [0, 1, 1_999, 2_000, 2_001, 2_999, 3_000, 3_001, 4_000, 4_001, .max] as [UInt64] {
                try Self.check(store, Timestamp(nanoseconds: time), "time \(time)")
            }
        }
    }

    @Test func `files go with their segments`() throws {
        let (log, _, _) = try Self.filled()
        try Self.writeAll(log.store)
        func files() throws -> [String] {
            try log.disk.list(EngineHarness.directory).filter { $0.hasSuffix(SegmentID.indexFileSuffix) }
        }
        let all = try files()
        #expect(all.count == log.store.segments.count - 1 && all.count > 3)
        try log.writer.trim(before: Position(2, 0))
        #expect(try files() == Array(all.dropFirst(2)))
        try log.writer.truncate(
            from: try #require(log.store.segments.dropFirst(2).first.map { Position(segment: $0.id, offset: 64) }))
        // Segment 3 became the active one.
        #expect(try files() == ["000002.idx"])
        // What has no segment any more, or an active one, goes when the log is opened.
        for name in ["000003.idx", "000077.idx"] {
            _ = try log.disk.open(EngineHarness.path(name), .create)
        }
        log.disk.killProcess()
        _ = try EngineHarness(log.disk)
        #expect(try files() == ["000002.idx"])
    }

    @Test func `a disk that refuses leaves no trace`() throws {
        for operation in [DiskOperation.create, .write, .rename] {
            let (log, positions, timestamps) = try Self.filled(frames: 60)
            log.disk.inject(.refuse(.ioError), atNext: operation)
            #expect(throws: LogError.self) { try log.store.writeIndexFile(of: .first) }
            let names = try log.disk.list(EngineHarness.directory)
            #expect(names.allSatisfy { !$0.contains("idx") }, "\(operation)")
            #expect(try log.store.writeIndexFile(of: .first))
            try Self.check(log.store, positions, timestamps)
        }
    }

    @Test func `memory is bounded however many segments there are`() throws {
        let frames = (EngineLimits.indexesMax + 20) * 22
        let (log, positions, _) = try Self.filled(frames: frames)
        func count(_ store: LogStore) -> Int {
            store.withLayout { layout in layout.segments.count { !$0.index.marks.isEmpty } }
        }
        #expect(log.store.segments.count > EngineLimits.indexesMax + 10)
        #expect(count(log.store) == EngineLimits.indexesMax + 1)
        log.disk.killProcess()
        let store = try EngineHarness(log.disk).store
        for (number, position) in positions.enumerated() where number % 5 == 0 {
            #expect(try store.position(of: LogIndex(UInt64(number * 2 + 1))) == position)
        }
        #expect(count(store) == EngineLimits.indexesMax + 1)
    }
}
