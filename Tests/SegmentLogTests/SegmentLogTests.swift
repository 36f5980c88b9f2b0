import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite(.timeLimit(.minutes(1))) struct `A log used as a library` {
    private static func configuration(
        _ policy: FsyncPolicy = .always, segmentByteCountMax: Int = 64 << 10
    ) -> LogConfiguration {
        var configuration = EngineHarness.configuration(segmentByteCountMax: segmentByteCountMax)
        configuration.policy = policy
        return configuration
    }

    private static func open(
        _ disk: SimulatedFileSystem = SimulatedFileSystem(), _ configuration: LogConfiguration = Self.configuration()
    ) async throws(LogError) -> SegmentLog {
        try await SegmentLog.open(configuration, fileSystem: disk.process()).log
    }

    private static func values(_ reader: LogReader) async throws -> [String] {
        var values: [String] = []
        for try await record in reader { values.append(String(decoding: record.record.value, as: UTF8.self)) }
        return values
    }

    // MARK: Appending

    @Test(arguments: [FsyncPolicy.always, .batch(windowMilliseconds: 5), .os])
    func `appends return index and position, and are read back after closing`(_ policy: FsyncPolicy) async throws {
        let disk = SimulatedFileSystem()
        let log = try await Self.open(disk, Self.configuration(policy, segmentByteCountMax: 4096))
        let first = try await log.append(Record("one"))
        #expect(first.first == .first && first.last == .first)
        let batch = try await log.append(contentsOf: [Record("two"), Record("three")])
        #expect(batch.first == LogIndex(2) && batch.last == LogIndex(3))
        #expect(batch.position == first.end)
        #expect(log.tail == batch.end)
        for number in 0..<100 { try await log.append(Record(EngineHarness.value(number))) }
        #expect(log.tail.segment > SegmentID(1))
        try await log.close()

        let (again, report) = try await SegmentLog.open(
            Self.configuration(policy, segmentByteCountMax: 4096), fileSystem: disk.process())
        #expect(report.wasClosedCleanly)
        #expect(report.nextIndex == LogIndex(104))
        let expected = ["one", "two", "three"] + (0..<100).map { EngineHarness.value($0) }
        #expect(try await Self.values(again.read()) == expected)
        #expect(again.cluster == log.cluster)
        try await again.append(Record("more"))
        #expect(try await Self.values(again.read(from: .index(LogIndex(104)))) == ["more"])
    }

    @Test func `a record keeps its key, tombstone and time to live`() async throws {
        let log = try await Self.open()
        let record = Record(
            key: Array("k".utf8)[...], value: Array("v".utf8)[...], isTombstone: true, timeToLiveMilliseconds: 77)
        try await log.append(record)
        for try await found in try log.read() { #expect(found.record == record) }
    }

    @Test func `under always an append that returned survives a power cut`() async throws {
        let disk = SimulatedFileSystem()
        let log = try await Self.open(disk)
        try await log.append(Record("kept"))
        disk.cutPower(.losesAll)
        let again = try await Self.open(disk)
        #expect(try await Self.values(again.read()) == ["kept"])
        withExtendedLifetime(log) {}
    }

    @Test func `callers that arrive during a sync share the next one`() async throws {
        let gate = Gate()
        let log = try await Self.open(gate.disk())
        gate.close()
        defer { gate.open() }
        let before = gate.passed
        try await withThrowingTaskGroup { group in
            defer { gate.open() }
            group.addTask { try await log.append(Record("first")) }
            try await eventually { gate.waiting == 1 }
            for number in 0..<50 { group.addTask { try await log.append(Record("\(number)")) } }
            try await eventually { log.nextIndex == LogIndex(52) }
            #expect(log.durable < log.tail)
            gate.open()
            for try await _ in group {}
        }
        #expect(gate.passed - before == 2)
        #expect(log.durable == log.tail)
    }

    @Test func `appends and reads go on while a sync runs`() async throws {
        let gate = Gate()
        let log = try await Self.open(gate.disk(), Self.configuration(.os))
        gate.close()
        defer { gate.open() }
        try await log.append(Record("a"))
        async let sync: Void = log.sync()
        try await eventually { gate.waiting == 1 }
        try await log.append(Record("b"))
        #expect(try await Self.values(log.read()) == ["a", "b"])
        gate.open()
        try await sync
        #expect(log.durable < log.tail)
    }

    @Test func `an idle tail is synced within the batch window`() async throws {
        let gate = Gate()
        let disk = gate.disk()
        let log = try await Self.open(disk, Self.configuration(.batch(windowMilliseconds: 2)))
        let appended = try await log.append(Record("alone"))
        try await eventually { log.durable == appended.end }
        disk.cutPower(.losesAll)
        #expect(try await Self.values(Self.open(disk).read()) == ["alone"])
    }

    @Test func `under os nothing is synced before it is asked for`() async throws {
        let gate = Gate()
        let disk = gate.disk()
        let log = try await Self.open(disk, Self.configuration(.os))
        let before = gate.passed
        for number in 0..<20 { try await log.append(Record("\(number)")) }
        #expect(gate.passed == before)
        #expect(log.durable < log.tail)
        try await log.sync()
        #expect(gate.passed == before + 1)
        #expect(log.durable == log.tail)
        disk.cutPower(.losesAll)
        #expect(try await Self.values(Self.open(disk, Self.configuration(.os)).read()).count == 20)
    }

    // MARK: Refusals

    @Test func `appends that cannot be are refused by name, and the log goes on`() async throws {
        let log = try await Self.open()
        await #expect(throws: LogError.noRecords) { try await log.append(contentsOf: []) }
        let many = [Record](repeating: Record("x"), count: 65_536)
        await #expect(throws: LogError.tooManyRecords(count: 65_536, max: 65_535)) {
            try await log.append(contentsOf: many)
        }
        let tail = log.tail
        let error = await #expect(throws: LogError.self) {
            try await log.append(Record(String(repeating: "x", count: 64 << 10)))
        }
        guard case .tooLarge(let byteCount, let max) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(byteCount > max && max > 60 << 10)
        #expect(log.tail == tail)
        let huge = Record(String(repeating: "x", count: 17 << 20))
        await #expect(throws: LogError.self) { try await log.append(huge) }
        try await log.append(Record("fits"))
        #expect(try await Self.values(log.read()) == ["fits"])
    }

    @Test func `a frame that just fits a segment is taken, one byte more is not`() async throws {
        let log = try await Self.open()
        try await log.append(Record("fill"))
        let error = await #expect(throws: LogError.self) {
            try await log.append(Record(String(repeating: "x", count: 64 << 10)))
        }
        guard case .tooLarge(_, let max) = error else { return }
        let overhead = 56 + 1 + 1 + 3
        try await log.append(Record(String(repeating: "x", count: max - overhead)))
        #expect(log.tail == Position(1, 64 << 10))
        await #expect(throws: LogError.self) {
            try await log.append(Record(String(repeating: "x", count: max - overhead + 1)))
        }
    }

    @Test func `a full disk refuses and heals`() async throws {
        let disk = SimulatedFileSystem()
        let log = try await Self.open(disk, Self.configuration(.os, segmentByteCountMax: 4096))
        disk.setCapacity(byteCount: 30_000)
        var refusal: LogError?
        for number in 0..<1000 where refusal == nil {
            do throws(LogError) {
                try await log.append(Record(EngineHarness.value(number)))
            } catch {
                refusal = error
            }
        }
        #expect(refusal == .noSpace)
        try await log.sync()
        try await log.trim(before: log.tail)
        try await log.append(Record("healed"))
        #expect(try await Self.values(log.read()).last == "healed")
    }

    @Test func `a failed sync fails those who waited and closes the log to writers, not to readers`() async throws {
        let disk = SimulatedFileSystem()
        let log = try await Self.open(disk)
        try await log.append(Record("kept"))
        disk.inject(.refuse(.ioError), atNext: .sync)
        await #expect(throws: LogError.self) { try await log.append(Record("unknown")) }
        await #expect(throws: LogError.failed) { try await log.append(Record("refused")) }
        await #expect(throws: LogError.failed) { try await log.sync() }
        #expect(try await Self.values(log.read()) == ["kept"])
        await #expect(throws: LogError.failed) { try await Self.values(log.read(following: true)) }
        await #expect(throws: LogError.failed) { try await log.close() }
    }

    @Test func `after closing nothing is written, and reads go on`() async throws {
        let log = try await Self.open()
        try await log.append(Record("a"))
        try await log.close()
        try await log.close()
        await #expect(throws: LogError.closed) { try await log.append(Record("b")) }
        await #expect(throws: LogError.closed) { try await log.truncate(from: .zero) }
        #expect(try await Self.values(log.read()) == ["a"])
    }

    @Test func `a second opener is refused; dropping the last reference closes the log`() async throws {
        let disk = SimulatedFileSystem()
        var log: SegmentLog? = try await Self.open(disk, Self.configuration(.os))
        try await log?.append(Record("a"))
        await #expect(throws: LogError.locked(holder: "pid 1")) { try await Self.open(disk) }
        log = nil
        var opened: (log: SegmentLog, report: RecoveryReport)?
        while opened == nil {
            do throws(LogError) {
                opened = try await SegmentLog.open(Self.configuration(.os), fileSystem: disk.process())
            } catch {
                // The log's own thread closes it; until then it is locked.
                try #require(error == .locked(holder: "pid 1"))
                try Task.checkCancellation()
                await Task.yield()
            }
        }
        #expect(opened?.report.wasClosedCleanly == true)
    }

    // MARK: Reading

    @Test func `a following reader gets what is appended, across segments, and ends when the log is closed`()
        async throws
    {
        let log = try await Self.open(SimulatedFileSystem(), Self.configuration(.os, segmentByteCountMax: 4096))
        let expected = (0..<200).map { EngineHarness.value($0) }
        try await log.append(Record(expected[0]))
        async let all = Self.values(log.read(following: true))
        async let rest = Self.values(log.read(from: .index(LogIndex(50)), following: true))
        for value in expected.dropFirst() {
            try await log.append(Record(value))
            await Task.yield()
        }
        try await log.close()
        #expect(try await all == expected)
        #expect(try await rest == Array(expected[49...]))
    }

    @Test func `under always readers see nothing that is not durable`() async throws {
        let gate = Gate()
        let log = try await Self.open(gate.disk())
        try await log.append(Record("durable"))
        gate.close()
        defer { gate.open() }
        async let appended = log.append(Record("pending"))
        try await eventually { gate.waiting == 1 }
        #expect(try await Self.values(log.read()) == ["durable"])
        async let next = log.read(from: .index(LogIndex(2)), following: true).first { _ in true }
        await Task.yield()
        gate.open()
        _ = try await appended
        #expect(try await next?.record == Record("pending"))
    }

    @Test func `a following reader ends when its task is cancelled`() async throws {
        let log = try await Self.open()
        try await log.append(Record("a"))
        let task = Task { try await Self.values(log.read(following: true)) }
        await Task.yield()
        task.cancel()
        #expect(try await task.value.count <= 1)
    }

    @Test func `reads start at the tail, a position, an index or a time`() async throws {
        let log = try await Self.open(SimulatedFileSystem(), Self.configuration(.os))
        var positions: [Position] = []
        for value in ["a", "b", "c"] { positions.append(try await log.append(Record(value)).position) }
        #expect(try await Self.values(log.read(from: .tail)).isEmpty)
        #expect(try await Self.values(log.read(from: positions[1])) == ["b", "c"])
        #expect(try await Self.values(log.read(from: .index(LogIndex(3)))) == ["c"])
        #expect(try await Self.values(log.read(from: .index(LogIndex(9)))).isEmpty)
        #expect(try await Self.values(log.read(from: .timestamp(.zero))) == ["a", "b", "c"])
        #expect(throws: LogError.noFrame(at: positions[1].advanced(by: 1))) {
            try log.read(from: positions[1].advanced(by: 1))
        }
    }

    @Test func `a reader within an atomic batch starts at its record`() async throws {
        let log = try await Self.open()
        try await log.append(contentsOf: ["a", "b", "c", "d"].map { Record($0) })
        #expect(try await Self.values(log.read(from: .index(LogIndex(3)))) == ["c", "d"])
    }

    // MARK: Truncating and trimming

    @Test func `truncating moves the tail back, and readers beyond are told`() async throws {
        let disk = SimulatedFileSystem()
        let log = try await Self.open(disk, Self.configuration(.os, segmentByteCountMax: 4096))
        for number in 0..<50 { try await log.append(Record(EngineHarness.value(number))) }
        let cut = try await log.append(Record("gone")).position
        for number in 0..<50 { try await log.append(Record(EngineHarness.value(number))) }
        let old = log.tail
        try await log.truncate(from: cut)
        #expect(log.tail == cut || log.tail < cut)
        #expect(throws: LogError.beyondTail(tail: log.tail)) { try log.read(from: old) }
        #expect(log.nextIndex == LogIndex(51))
        try await log.append(Record("new"))
        try await log.close()
        #expect(
            try await Self.values(Self.open(disk, Self.configuration(.os, segmentByteCountMax: 4096)).read()).last
                == "new")
    }

    @Test func `a following reader beyond a truncation is woken and told`() async throws {
        let log = try await Self.open(SimulatedFileSystem(), Self.configuration(.os))
        let first = try await log.append(Record("a"))
        try await log.append(Record("b"))
        let reader = try log.read(from: .tail, following: true)
        let reading = Task { try await Self.values(reader) }
        await Task.yield()
        try await log.truncate(from: first.end)
        await #expect(throws: LogError.beyondTail(tail: first.end)) { try await reading.value }
    }

    @Test func `trimming moves the start, and readers below are told`() async throws {
        let log = try await Self.open(SimulatedFileSystem(), Self.configuration(.always, segmentByteCountMax: 4096))
        for number in 0..<100 { try await log.append(Record(EngineHarness.value(number))) }
        try await log.trim(before: Position(2, 0))
        #expect(log.first == Position(2, 0))
        #expect(throws: LogError.trimmed(first: Position(2, 0))) { try log.read(from: .index(.first)) }
        let indexes = try await Self.values(log.read()).count
        #expect(UInt64(indexes) == 101 - log.firstIndex.rawValue)
    }

    // MARK: Many at once

    @Test(arguments: [FsyncPolicy.always, .os])
    func `many appenders and readers see one order`(_ policy: FsyncPolicy) async throws {
        let log = try await Self.open(SimulatedFileSystem(), Self.configuration(policy, segmentByteCountMax: 8192))
        let total = 400
        try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var values: [String] = []
                    for try await record in try log.read(following: true) {
                        #expect(record.index.rawValue == UInt64(values.count) + 1)
                        values.append(String(decoding: record.record.value, as: UTF8.self))
                        if values.count == total { break }
                    }
                    return values
                }
            }
            for appender in 0..<8 {
                group.addTask {
                    for number in 0..<(total / 8) {
                        try await log.append(Record(EngineHarness.value(number, prefix: "\(appender)-")))
                    }
                    return []
                }
            }
            var orders: Set<[String]> = []
            for try await order in group where !order.isEmpty { orders.insert(order) }
            #expect(orders.count == 1)
            for appender in 0..<8 {
                let own = orders.first?.filter { $0.hasPrefix("\(appender)-") }
                #expect(own == (0..<(total / 8)).map { EngineHarness.value($0, prefix: "\(appender)-") })
            }
        }
    }
}
