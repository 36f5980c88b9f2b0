import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `The writer` {
    @Test func `what is appended is read back, across rotations`() throws {
        let log = try EngineHarness()
        try log.append("one", "two")
        try log.fill(100)
        #expect(log.tail.segment >= SegmentID(2))
        #expect(try log.values() == ["one", "two"] + (0..<100).map { EngineHarness.value($0) })
        #expect(log.store.nextIndex == LogIndex(103))
        #expect(log.store.segments.map(\.id.rawValue) == Array(0...log.tail.segment.rawValue))
    }

    @Test func `segments are files of exactly their length once synced, and name their predecessors`() throws {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.sync()
        for segment in log.store.segments.dropLast() {
            let bytes = try #require(log.disk.contents(of: EngineHarness.path(segment.id.fileName)))
            #expect(bytes.count == segment.byteCount)
            #expect(try log.store.header(of: segment.id.next).previousLength == UInt32(segment.byteCount))
        }
    }

    @Test func `the active segment is allocated ahead and zero behind the tail`() throws {
        let log = try EngineHarness(segmentByteCountMax: 8192)
        try log.fill(3)
        let bytes = try #require(log.disk.contents(of: EngineHarness.path("000000.wal")))
        #expect(bytes.count == 8192)
        #expect(bytes[Int(log.tail.offset)...].allSatisfy { $0 == 0 })
    }

    @Test func `a prepared segment makes a rotation one write and one rename`() throws {
        let log = try EngineHarness()
        while log.writer.remainingByteCount > 400 { try log.append(EngineHarness.value(1)) }
        #expect(!log.writer.canRotate)
        try log.writer.prepareNextSegment()
        #expect(log.writer.canRotate)
        let before = log.disk.counts
        while log.tail.segment == .first { try log.append(EngineHarness.value(2)) }
        #expect(log.disk.counts.opens == before.opens)
        #expect(!log.writer.canRotate)
    }

    @Test func `bytes that belong elsewhere are refused`() throws {
        let log = try EngineHarness()
        let (bytes, position) = log.nextFrame(["a"])
        let tail = log.tail
        for wrong in [position.advanced(by: 1), Position(0, 64), Position(1, 64), Position(5, 0)] {
            #expect(throws: LogError.notTheTail(tail: tail), "\(wrong)") {
                try log.writer.append(bytes[...], at: wrong)
            }
        }
        #expect(throws: Never.self) { try log.writer.append(bytes[...], at: position) }
    }

    @Test func `a frame with any bit flipped is refused and leaves no trace`() throws {
        let log = try EngineHarness()
        let (bytes, position) = log.nextFrame(["a"])
        let before = log.disk.contents(of: EngineHarness.path("000000.wal"))
        for bit in 0..<bytes.count * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: LogError.self, "bit \(bit)") { try log.writer.append(damaged[...], at: position) }
        }
        #expect(throws: LogError.self) { try log.writer.append(bytes.dropLast(), at: position) }
        #expect(log.tail == position)
        #expect(log.disk.contents(of: EngineHarness.path("000000.wal")) == before)
    }

    @Test func `a segment's header without its checkpoint is refused`() throws {
        let log = try EngineHarness()
        var chain = log.writer.chain
        let header = chain.startSegment()
        #expect(throws: LogError.self) { try log.writer.append(header[...], at: Position(1, 0)) }
        #expect(log.tail.segment == .first)
    }

    @Test func `several frames go in one write`() throws {
        let log = try EngineHarness()
        var chain = log.writer.chain
        var bytes: [UInt8] = []
        for value in ["a", "b", "c"] {
            let (frame, _) = log.nextFrame([value], chain: chain)
            try chain.accept(range: frame[...], at: chain.tail) { _, _, _ in }
            bytes += frame
        }
        try log.writer.append(bytes[...], at: log.tail)
        try log.append("d")
        #expect(try log.values() == ["a", "b", "c", "d"])
    }

    @Test func `a full disk refuses and leaves no trace, and appends go on once there is room`() throws {
        let log = try EngineHarness()
        try log.fill(10)
        try log.writer.sync()
        let used = log.tail
        var accepted = 0
        log.disk.setCapacity(byteCount: 20_000)
        while accepted < 1000 {
            do throws(LogError) {
                try log.append(EngineHarness.value(accepted, prefix: "f"))
                accepted += 1
            } catch {
                #expect(error == .noSpace)
                break
            }
        }
        #expect(accepted > 0 && accepted < 1000)
        #expect(log.tail > used)
        let names = try log.disk.list(EngineHarness.directory)
        #expect(names.allSatisfy { !$0.hasSuffix(".tmp") })
        try log.writer.sync()
        log.disk.setCapacity(byteCount: .max)
        try log.append("after")
        try log.writer.sync()
        log.disk.cutPower(.losesAll)
        let again = try EngineHarness(log.disk)
        let expected =
            (0..<10).map { EngineHarness.value($0) }
            + (0..<accepted).map { EngineHarness.value($0, prefix: "f") } + ["after"]
        #expect(try again.values() == expected)
    }

    @Test func `a refused write in the middle of a segment leaves no trace`() throws {
        for errno in [Errno.noSpace, .ioError, .diskQuotaExceeded] {
            let disk = SimulatedFileSystem()
            disk.setKeepsReservations(false)
            let log = try EngineHarness(disk)
            try log.append("a")
            log.disk.inject(.refuse(errno), atNext: .write)
            let tail = log.tail
            #expect(throws: LogError.self) { try log.append(EngineHarness.value(1)) }
            #expect(log.tail == tail)
            let bytes = try #require(log.disk.contents(of: EngineHarness.path("000000.wal")))
            #expect(bytes[Int(tail.offset)...].allSatisfy { $0 == 0 })
            try log.append("b")
            #expect(try log.values() == ["a", "b"])
        }
    }

    @Test func `every refused operation of a rotation leaves the log as it was`() throws {
        for operation in [DiskOperation.create, .allocate, .write, .rename] {
            let disk = SimulatedFileSystem()
            disk.setKeepsReservations(operation != .write)
            let log = try EngineHarness(disk)
            while log.writer.remainingByteCount > 400 { try log.append(EngineHarness.value(1)) }
            let count = try log.values().count
            let tail = log.tail
            log.disk.inject(.refuse(.noSpace), atNext: operation)
            let long = String(repeating: "y", count: 500)
            #expect(throws: LogError.noSpace, "\(operation)") { try log.append(long) }
            #expect(log.tail == tail)
            #expect(try log.disk.list(EngineHarness.directory).allSatisfy { !$0.hasSuffix(".tmp") })
            try log.append(long)
            #expect(log.tail.segment == SegmentID(1))
            #expect(try log.values().count == count + 1)
        }
    }

    @Test func `after a failed sync nothing is written any more, and reads go on`() throws {
        for operation in [DiskOperation.sync, .truncate, .syncDirectory, .syncMapping] {
            let log = try EngineHarness()
            try log.fill(60)
            log.disk.inject(.refuse(.ioError), atNext: operation)
            #expect(throws: LogError.self, "\(operation)") { try log.writer.sync() }
            #expect(throws: LogError.failed) { try log.writer.sync() }
            #expect(throws: LogError.failed) { try log.append("x") }
            #expect(throws: LogError.failed) { try log.writer.truncate(from: Position(0, 0)) }
            #expect(throws: LogError.failed) { try log.writer.close() }
            #expect(try log.values().count == 60)
        }
    }

    @Test func `a sync that nobody needs costs nothing`() throws {
        let log = try EngineHarness()
        try log.append("a")
        try log.writer.sync()
        let before = log.disk.counts
        try log.writer.sync()
        #expect(log.disk.counts == before)
    }

    @Test func `appends go on while a sync runs, and the sync vouches only for what was there`() throws {
        let log = try EngineHarness()
        try log.append("a")
        let point = log.writer.chain.point
        let job = log.writer.beginSync()
        try log.fill(60)
        try job.perform()
        _ = log.writer.finishSync(job, now: .zero)
        #expect(log.writer.durable == point)
        #expect(try log.writer.sync() == log.writer.chain.point)
        log.disk.cutPower(.losesAll)
        #expect(try EngineHarness(log.disk).values().count == 61)
    }

    @Test func `DURABLE goes to the disk at most once a second, and at every rotation`() throws {
        let log = try EngineHarness(segmentByteCountMax: 1 << 20)
        let syncs = { log.disk.counts.mappingSyncs }
        var now = MonotonicTime.zero.advanced(byMilliseconds: 5000)
        try log.append("a")
        try log.writer.sync(now: now)
        let first = syncs()
        for _ in 0..<9 {
            now = now.advanced(byMilliseconds: 100)
            try log.append("b")
            try log.writer.sync(now: now)
        }
        #expect(syncs() == first)
        now = now.advanced(byMilliseconds: 100)
        try log.writer.syncDurableFile(now: now)
        #expect(syncs() == first + 1)
        try log.writer.syncDurableFile(now: now.advanced(byMilliseconds: 5000))
        #expect(syncs() == first + 1)
    }

    @Test func `closing finalizes, marks a clean stop and ends writing`() throws {
        let log = try EngineHarness()
        try log.fill(5)
        try log.writer.prepareNextSegment()
        try log.writer.close()
        try log.writer.close()
        #expect(throws: LogError.closed) { try log.append("x") }
        #expect(try log.disk.list(EngineHarness.directory) == ["000000.wal", "DURABLE", "IDENTITY", "VOTE"])
        #expect(log.disk.contents(of: EngineHarness.path("000000.wal"))?.count == Int(log.tail.offset))
        log.disk.cutPower(.losesAll)
        let again = try EngineHarness(log.disk)
        #expect(again.opened.report.wasClosedCleanly)
        #expect(again.opened.report.cut == nil)
        #expect(try again.values().count == 5)
    }

    @Test func `the commit position is known after a restart, at most the tail`() throws {
        let log = try EngineHarness()
        let middle = try log.append("a")
        log.writer.recordCommit(middle)
        log.writer.recordCommit(.zero)
        #expect(log.writer.commit == middle)
        log.disk.killProcess()
        #expect(try EngineHarness.open(log.disk).commit == middle)
    }
}
