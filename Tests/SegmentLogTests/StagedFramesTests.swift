import DiskIO
import LogModel
import LogState
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Frames that wait in memory for the sync that covers them.
@Suite(.timeLimit(.minutes(1))) struct `Frames that are staged` {
    private static func open(
        _ disk: SimulatedFileSystem, segmentByteCountMax: Int = 64 << 10
    ) async throws(LogError) -> SegmentLog {
        let configuration = EngineHarness.configuration(segmentByteCountMax: segmentByteCountMax)
        return try await SegmentLog.open(configuration, fileSystem: disk.process()).log
    }

    private static func values(_ reader: LogReader) async throws -> [String] {
        try await reader.reduce(into: []) { $0.append(String(decoding: $1.record.value, as: UTF8.self)) }
    }

    /// An index file was written, if need be by walking the segment, also of one that had been cut and filled again, and
    /// was not in the file yet: its zeros were taken for damage.
    @Test func `of a segment that was cut since it was sealed nobody makes an index file`() throws {
        let log = try EngineHarness.staged()
        try log.fill(3)
        let start = log.tail
        try log.fill(100)
        try log.writer.sync()
        try log.writer.truncate(from: start)
        try log.fill(100)
        // As when other segments' indexes took its place in memory.
        let byteCount = log.store.segments[0].byteCount
        log.store.withLayout {
            $0.repaired(
                SegmentHeader(
                    cluster: EngineHarness.cluster, segment: .first, firstIndex: .first, previousChecksum: 0,
                    previousLength: 0), byteCount: byteCount)
        }
        while let segment = log.writer.takeUnindexed() { _ = try? log.store.writeIndexFile(of: segment) }
        #expect(log.store.damage == [])
        try log.writer.sync()
        #expect(log.writer.takeUnindexed() != nil)
        #expect(try log.values().count == 103)
    }

    /// Counts the writes to segment files.
    private final class Writes: Sendable {
        private let number = Lock(0)
        var count: Int { self.number.withLock { $0 } }
        func observe(_ call: DiskCall) {
            guard call.operation == .write, call.path.hasSuffix(".wal") else { return }
            self.number.withLock { $0 += 1 }
        }
    }

    /// One append whose sync is held up, and `count` more that wait for the next.
    private static func hold(
        _ count: Int, at log: SegmentLog, _ gate: Gate, while body: () async throws -> Void
    ) async throws {
        gate.close()
        defer { gate.open() }
        try await withThrowingTaskGroup { group in
            defer { gate.open() }
            group.addTask { try await log.append(Record("first")) }
            try await eventually { gate.waiting == 1 }
            for number in 0..<count { group.addTask { try await log.append(Record("\(number)")) } }
            try await eventually { log.nextIndex == LogIndex(UInt64(count) + 2) }
            try await body()
            gate.open()
            for try await _ in group {}
        }
    }

    @Test func `are written at once`() async throws {
        let gate = Gate()
        let writes = Writes()
        let disk = SimulatedFileSystem { call in
            writes.observe(call)
            gate.observe(call)
        }
        let log = try await Self.open(disk)
        let before = writes.count
        // The first brings zeros ahead of the tail with it.
        try await Self.hold(50, at: log, gate) { #expect(writes.count == before + 2) }
        #expect(writes.count == before + 3)
        #expect(try await Self.values(log.read()).count == 51)
    }

    @Test func `are not met by readers that look for them`() async throws {
        let gate = Gate()
        let log = try await Self.open(gate.disk(), segmentByteCountMax: 4096)
        // Over two segments.
        try await Self.hold(90, at: log, gate) {
            #expect(log.tail.segment > .first)
            let starts: [ReadStart] =
                [1, 2, 30, 90, 91, 92, 200].map { .index(LogIndex($0)) }
                + [.timestamp(.zero), .timestamp(Timestamp(nanoseconds: .max))]
            for start in starts {
                let found = try await Self.values(log.read(from: start))
                #expect(found == [], "from \(start)")
            }
            #expect(log.damage.isEmpty)
        }
        #expect(try await Self.values(log.read(from: .index(LogIndex(30)))).count == 62)
    }

    @Test(arguments: [1 << 20, 64 << 20])
    func `are bounded, over however many segments, and those who come meanwhile wait`(
        _ segmentByteCountMax: Int
    ) async throws {
        let gate = Gate()
        let log = try await Self.open(gate.disk(), segmentByteCountMax: segmentByteCountMax)
        let value = String(repeating: "v", count: 256 << 10)
        let fitting = EngineLimits.stagedByteCountMax / value.utf8.count
        let count = 2 * fitting
        gate.close()
        defer { gate.open() }
        try await withThrowingTaskGroup { group in
            defer { gate.open() }
            group.addTask { try await log.append(Record("first")) }
            try await eventually { gate.waiting == 1 }
            for _ in 0..<count { group.addTask { try await log.append(Record(value)) } }
            let placed = { Int(log.nextIndex.rawValue) - 2 }
            try await eventually {
                let waiting = log.shell.core.withLock { $0.isStageFull ? $0.roomWaiters.count : 0 }
                return placed() + waiting == count
            }
            // Frames are a little larger than their values, and the last one may pass the bound.
            #expect((fitting - 1...fitting + 1).contains(placed()))
            gate.open()
            for try await _ in group {}
        }
        #expect(log.durable == log.tail)
        #expect(log.nextIndex == LogIndex(UInt64(count) + 2))
    }

    @Test func `that the disk refuses close the log, and their callers do not hear that they are gone`() async throws {
        let disk = SimulatedFileSystem()
        let log = try await Self.open(disk)
        try await log.append(Record("kept"))
        disk.inject(.refuse(.noSpace), atNext: .write)
        let error = await #expect(throws: LogError.self) { try await log.append(Record("refused")) }
        guard case .storage = error else {
            Issue.record("callers may take \(String(describing: error)) for a refusal")
            return
        }
        await #expect(throws: LogError.failed) { try await log.append(Record("later")) }
        #expect(try await Self.values(log.read()) == ["kept"])
        disk.killProcess()
        #expect(try await Self.values(Self.open(disk).read()).first == "kept")
    }

    /// The end of a sync once let go only those who waited already; who came a moment later waited for the next, which
    /// might never come.
    @Test func `leave nobody waiting who found no room before a sync and says so after it`() async throws {
        var configuration = EngineHarness.configuration(segmentByteCountMax: 64 << 20)
        configuration.policy = .always
        configuration.framePath = .staged
        var opened = try EngineHarness.open(SimulatedFileSystem(), configuration, mode: .standalone)
        try opened.form(cluster: EngineHarness.cluster, founding: EngineHarness.founding[...])
        let writer = try #require(opened.writer)
        var core = LogCore(writer, configuration, view: LogView(), state: LogState(founding: Membership()))
        var attempt = try Self.append(1 << 20, to: &core)
        while case .placed = attempt { attempt = try Self.append(1 << 20, to: &core) }
        guard case .wait(let epoch) = attempt else { preconditionFailure("neither placed nor to wait") }
        let begun = core.beginSync()
        try begun.job.perform()
        _ = core.finishSync(begun.job, nanoseconds: 1, now: .zero)
        var done = 0
        let outcome = await withCheckedContinuation { (continuation: LogCore.Continuation) in
            let wakeups = core.joinRoom(since: epoch, continuation)
            done = wakeups.done.count
            if done == 0 { continuation.resume(returning: .failure(.closed)) }
            for (continuation, outcome) in wakeups.done { continuation.resume(returning: outcome) }
        }
        #expect(done == 1)
        try outcome.get()
        guard case .placed = try Self.append(1 << 20, to: &core) else {
            Issue.record("there is no room after the sync")
            return
        }
    }

    private static func append(_ byteCount: Int, to core: inout LogCore) throws -> LogCore.Attempt {
        let records = [Record(value: [UInt8](repeating: 7, count: byteCount)[...])]
        return try records.withUnsafeBufferPointer { records in
            let count = try FrameOutline.byteCount(of: records)
            return try withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { memory in
                let outline = FrameOutline.encode(records, into: memory)
                var bytes = MutableRawSpan(_unsafeBytes: memory)
                return try core.append(outline, in: &bytes, timestamp: .zero)
            }
        }
    }

    /// Those who wait hear that nobody knows, not that the log is as it was: what they appended may be in the file.
    @Test func `whose callers wait while a close fails are not said to be gone`() async throws {
        let gate = Gate()
        let disk = gate.disk()
        let log = try await Self.open(disk)
        defer { gate.open() }
        let (first, second) = try await gate.holdTwoAppends(to: log)
        let closing = Task { try await log.close() }
        try await eventually { log.shell.core.withLock { !$0.requests.isEmpty } }
        disk.inject(.refuse(.noSpace), atNext: .write)
        gate.open()
        _ = try await first.value
        let told = await #expect(throws: LogError.self) { try await second.value }
        guard let told, case .storage = told else {
            Issue.record("callers may take \(String(describing: told)) for a refusal")
            return
        }
        await #expect(throws: told) { try await closing.value }
    }

    @Test func `are in the files before a truncation looks there`() throws {
        let disk = SimulatedFileSystem()
        var configuration = EngineHarness.configuration()
        configuration.framePath = .staged
        var opened = try EngineHarness.open(disk, configuration, mode: .standalone)
        try opened.form(cluster: EngineHarness.cluster, founding: EngineHarness.founding[...])
        var log = EngineHarness(disk: disk, configuration: configuration, opened: opened)
        try log.fill(60)
        #expect(log.tail.segment > .first)
        let kept = log.tail
        try log.append("gone")
        try log.writer.truncate(from: kept)
        try log.fill(3, prefix: "new")
        try log.writer.close()
        log = try EngineHarness(disk, mode: .standalone)
        #expect(
            try log.values() == (0..<60).map { EngineHarness.value($0) }
                + (0..<3).map { EngineHarness.value($0, prefix: "new") })
    }
}
