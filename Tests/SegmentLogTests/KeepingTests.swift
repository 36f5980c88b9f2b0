import CoreMetrics
import LogModel
import MetricsTestKit
import Simulation
import Synchronization
import SystemPackage
import Testing

@testable import SegmentLog

/// What a log does by itself: retention, scrubbing, compression, events, metrics.
@Suite struct `Keeping in shape` {
    /// Events as they come, to be waited for.
    private final class Events: Sendable {
        private let seen = Mutex<[LogEvent]>([])
        func note(_ event: LogEvent) { self.seen.withLock { $0.append(event) } }

        /// The first event that `match` takes.
        func first<Value: Sendable>(_ match: (LogEvent.Kind) -> Value?) async throws -> Value {
            while true {
                let found = self.seen.withLock { events in events.compactMap { match($0.kind) }.first }
                if let found { return found }
                try await Task.sleep(for: .milliseconds(1))
            }
        }

        var nodes: Set<NodeID> { self.seen.withLock { Set($0.map(\.node)) } }
    }

    private static func configuration() -> LogConfiguration {
        var configuration = EngineHarness.configuration()
        configuration.node = NodeID(7)
        configuration.scrubBytesPerSecond = 0
        return configuration
    }

    @Test(.timeLimit(.minutes(1))) func `retention by size removes the oldest segments after a rotation`() async throws
    {
        let events = Events()
        let disk = SimulatedFileSystem()
        var configuration = Self.configuration()
        configuration.retention = RetentionPolicy(byteCountMax: 3 * 4096)
        let (log, _) = try await SegmentLog.open(configuration, fileSystem: disk, onEvent: events.note)
        for number in 0..<200 { try await log.append(Record(EngineHarness.value(number))) }
        _ = try await events.first { kind in
            if case .trimmed(let before, _, _) = kind, before > SegmentID(1) { true } else { nil }
        }
        #expect(log.firstIndex > .first)
        let names = try disk.list(EngineHarness.directory)
        let first = log.first.segment
        #expect(names.contains(first.indexFileName))
        #expect(!names.contains(SegmentID.first.indexFileName))
        #expect(throws: LogError.trimmed(first: log.first)) { try log.read(from: .position(.zero)) }
        try await log.close()
        #expect(events.nodes == [NodeID(7)])
    }

    /// Looked at when a segment is begun, at which time the one before is not synced: it waited for another rotation.
    @Test(.timeLimit(.minutes(1))) func `retention by size goes on once the full segment is synced`() async throws {
        var configuration = Self.configuration()
        configuration.policy = .os
        configuration.retention = RetentionPolicy(byteCountMax: 1)
        let (log, _) = try await SegmentLog.open(configuration, fileSystem: SimulatedFileSystem())
        for number in 0..<200 { try await log.append(Record(EngineHarness.value(number))) }
        try await eventually { log.first.segment.next >= log.tail.segment }
        try await log.close()
    }

    @Test(.timeLimit(.minutes(1))) func `retention by age removes what is older, never the active segment`()
        async throws
    {
        let events = Events()
        var configuration = Self.configuration()
        configuration.retention = RetentionPolicy(ageMax: .zero)
        let (log, _) = try await SegmentLog.open(
            configuration, fileSystem: SimulatedFileSystem(), onEvent: events.note)
        for number in 0..<100 { try await log.append(Record(EngineHarness.value(number))) }
        _ = try await events.first { kind in if case .trimmed = kind { true } else { nil } }
        // A later pass would take away what is being read.
        try await eventually { log.first.segment == log.tail.segment }
        var values: [String] = []
        for try await entry in try log.read() { values.append(String(decoding: entry.record.value, as: UTF8.self)) }
        #expect(values.last == EngineHarness.value(99))
        try await log.close()
    }

    @Test(.timeLimit(.minutes(1))) func `the scrubber finds a flipped bit, says so, and reads of it are refused`()
        async throws
    {
        let disk = SimulatedFileSystem()
        var configuration = Self.configuration()
        let (log, _) = try await SegmentLog.open(configuration, fileSystem: disk)
        for number in 0..<100 { try await log.append(Record(EngineHarness.value(number))) }
        try await log.close()
        disk.flip(bit: 8 * 2000, of: EngineHarness.path("000001.wal"))

        let events = Events()
        configuration.scrubBytesPerSecond = 1 << 30
        let (again, report) = try await SegmentLog.open(configuration, fileSystem: disk, onEvent: events.note)
        #expect(report.damage.isEmpty)
        let damage = try await events.first { kind in if case .damageFound(let damage) = kind { damage } else { nil } }
        #expect(damage.segment == SegmentID(1) && damage.range.contains(2000))
        #expect(again.damage == [damage])
        await #expect(throws: LogError.self) {
            for try await _ in try again.read(from: Position(1, 0)) {}
        }
        for try await entry in try again.read(from: Position(2, 0)) { #expect(entry.index > .first) }
        try await again.append(Record("goes on"))
        try await again.close()
    }

    @Test func `compressed batches take less room and come back as they were, beside plain ones`() async throws {
        let disk = SimulatedFileSystem()
        var configuration = Self.configuration()
        let batch = (0..<20).map { Record(EngineHarness.value($0)) }
        let (plain, _) = try await SegmentLog.open(configuration, fileSystem: disk)
        let first = try await plain.append(contentsOf: batch)
        try await plain.close()

        configuration.compression = .deflate(level: 6)
        let (log, _) = try await SegmentLog.open(configuration, fileSystem: disk)
        let second = try await log.append(contentsOf: batch)
        #expect(second.end.offset - second.position.offset < (first.end.offset - first.position.offset) / 2)
        var records: [Record] = []
        for try await entry in try log.read() { records.append(entry.record) }
        #expect(records == batch + batch)
        try await log.close()
        configuration.compression = .deflate(level: 10)
        await #expect(throws: LogError.configuration(.compressionLevel(10, allowed: 1...9))) {
            try await SegmentLog.open(configuration, fileSystem: disk)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `events and metrics tell of appends, syncs, rotations and the end`()
        async throws
    {
        // Once in a process; no other test looks at metrics.
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        let events = Events()
        var configuration = Self.configuration()
        configuration.node = NodeID(77)
        let (log, _) = try await SegmentLog.open(
            configuration, fileSystem: SimulatedFileSystem(), onEvent: events.note)
        for number in 0..<50 { try await log.append(Record(EngineHarness.value(number))) }
        let rolled = try await events.first { kind in
            if case .segmentRolled(let segment, let byteCount) = kind { (segment, byteCount) } else { nil }
        }
        #expect(rolled.0 == .first && rolled.1 > 3000)
        let callers = try await events.first { kind in if case .synced(_, let callers) = kind { callers } else { nil } }
        #expect(callers == 1)
        let node = [("node", "77")]
        while try metrics.expectCounter("holdfast_log_records_total", node).totalValue < 50 {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try metrics.expectCounter("holdfast_log_segments_rolled_total", node).totalValue >= 1)
        #expect(try metrics.expectTimer("holdfast_log_sync_duration_seconds", node).values.count >= 50)
        try await log.close()
        _ = try await events.first { kind in kind == .closed ? true : nil }
        #expect(events.nodes == [NodeID(77)])
    }
}
