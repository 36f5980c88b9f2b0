import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite(.timeLimit(.minutes(1))) struct `Readers of a library's log` {
    /// A log with plain and compressed batches, made by the engine and opened as a library does.
    private static func log() async throws -> (log: SegmentLog, values: [String]) {
        let harness = try EngineHarness(mode: .standalone, segmentByteCountMax: 64 << 10)
        var values: [String] = []
        for number in 0..<300 {
            let batch = (0..<(number % 7 + 1)).map { "the same words, batch \(number) record \($0)" }
            values += batch
            try harness.append(
                batch, compression: number % 3 == 0 ? .none : .deflate(level: number % 9 + 1))
        }
        try harness.writer.close()
        let log = try await SegmentLog.open(harness.configuration, fileSystem: harness.disk).log
        return (log, values)
    }

    private static func text(_ entry: IndexedRecord) -> String { String(decoding: entry.record.value, as: UTF8.self) }

    @Test func `plain and compressed batches are read alike, from every index on`() async throws {
        let (log, expected) = try await Self.log()
        for start in stride(from: 0, to: expected.count, by: 61) {
            var values: [String] = []
            var index = LogIndex(UInt64(start + 1))
            for try await entry in try log.read(from: .index(index)) {
                #expect(entry.index == index)
                index = index.advanced(by: 1)
                values.append(Self.text(entry))
            }
            #expect(values == Array(expected[start...]))
        }
        try await log.close()
    }

    /// What is visible was once lowered to where somebody asked to cut, before it was known whether a frame ends there.
    @Test(.timeLimit(.minutes(1))) func `truncations that are refused disturb nobody`() async throws {
        let configuration = EngineHarness.configuration(segmentByteCountMax: 64 << 10)
        let log = try await SegmentLog.open(configuration, fileSystem: SimulatedFileSystem()).log
        for number in 0..<200 { try await log.append(Record(EngineHarness.value(number))) }
        let isOver = Lock(false)
        let refusing = Task.detached {
            while !isOver.withLock({ $0 }) {
                for position in [Position(0, 64), Position(0, 200), Position(0, 1001)] {
                    do throws(LogError) { try await log.truncate(from: position) } catch {}
                }
            }
        }
        defer { isOver.withLock { $0 = true } }
        for _ in 0..<40 {
            var count = 0
            for try await _ in try log.read() { count += 1 }
            #expect(count == 200)
        }
        isOver.withLock { $0 = true }
        await refusing.value
        #expect(log.damage == [])
        try await log.close()
    }

    /// What was visible was once looked at twice: before a search that did not find the record yet, and after it.
    @Test func `nothing is missed that becomes visible while a reader looks for its place`() async throws {
        let log = try await SegmentLog.open(EngineHarness.configuration(), fileSystem: SimulatedFileSystem()).log
        for number in 1...500 {
            let index = LogIndex(UInt64(number))
            let appending = Task { try await log.append(Record("\(number)")) }
            // Staged, and soon visible.
            try await eventually { log.nextIndex > index }
            let reader = try log.read(from: .index(index))
            _ = try await appending.value
            var iterator = reader.makeAsyncIterator()
            #expect(try await iterator.next()?.index == index)
        }
    }

    @Test func `records that are kept stay as they were`() async throws {
        let (log, expected) = try await Self.log()
        var kept: [IndexedRecord] = []
        for try await entry in try log.read() { kept.append(entry) }
        #expect(kept.map(Self.text) == expected)
        try await log.close()
    }

    @Test func `a following reader that a truncation overtook is told so`() async throws {
        let disk = SimulatedFileSystem()
        let log = try await SegmentLog.open(EngineHarness.configuration(), fileSystem: disk).log
        for number in 0..<20 { try await log.append(Record(EngineHarness.value(number))) }
        let cut = log.tail
        for number in 20..<40 { try await log.append(Record(EngineHarness.value(number))) }
        var iterator = try log.read(from: .index(LogIndex(1)), following: true).makeAsyncIterator()
        for _ in 0..<40 { _ = try await iterator.next() }
        try await log.truncate(from: cut)
        for number in 20..<60 { try await log.append(Record(EngineHarness.value(number))) }
        let tail = log.tail
        do {
            let entry = try await iterator.next()
            Issue.record("\(String(describing: entry?.index))")
        } catch {
            #expect(error == .beyondTail(tail: tail))
        }
        try await log.close()
    }
}
