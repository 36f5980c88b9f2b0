import DiskIO
import LogModel
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
        return try await SegmentLog.open(configuration, fileSystem: disk).log
    }

    private static func values(_ reader: LogReader) async throws -> [String] {
        try await reader.reduce(into: []) { $0.append(String(decoding: $1.record.value, as: UTF8.self)) }
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
        try await Self.hold(50, at: log, gate) { #expect(writes.count == before + 1) }
        #expect(writes.count == before + 2)
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

    @Test func `are bounded, and those who come meanwhile wait`() async throws {
        let gate = Gate()
        let log = try await Self.open(gate.disk(), segmentByteCountMax: 64 << 20)
        let value = String(repeating: "v", count: 1 << 20)
        let count = 2 * EngineLimits.stagedByteCountMax >> 20
        gate.close()
        defer { gate.open() }
        try await withThrowingTaskGroup { group in
            defer { gate.open() }
            group.addTask { try await log.append(Record("first")) }
            try await eventually { gate.waiting == 1 }
            for _ in 0..<count { group.addTask { try await log.append(Record(value)) } }
            try await eventually { Int(log.tail.offset) > EngineLimits.stagedByteCountMax }
            #expect(Int(log.tail.offset) < EngineLimits.stagedByteCountMax + 2 * value.utf8.count)
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

    @Test func `are in the files before a truncation looks there`() throws {
        let disk = SimulatedFileSystem()
        var configuration = EngineHarness.configuration()
        configuration.stagesFrames = true
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
