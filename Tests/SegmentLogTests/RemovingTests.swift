import DiskIO
import Foundation
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `Truncating and trimming` {
    @Test func `a suffix goes at every frame boundary, and appends go on`() throws {
        let reference = try EngineHarness()
        var ends: [Position] = [reference.tail]
        for number in 0..<80 {
            try reference.append(EngineHarness.value(number))
            ends.append(reference.tail)
        }
        for (kept, end) in ends.enumerated() {
            let log = try EngineHarness()
            try log.fill(80)
            if kept % 2 == 0 { try log.writer.sync() }
            try log.writer.truncate(from: end)
            #expect(log.tail == end)
            #expect(log.store.nextIndex == LogIndex(UInt64(kept) + 1))
            try log.append("new")
            try log.writer.sync()
            let expected = (0..<kept).map { EngineHarness.value($0) } + ["new"]
            #expect(try log.values() == expected)
            log.disk.cutPower(.losesAll)
            #expect(try EngineHarness(log.disk).values() == expected)
        }
    }

    /// A trim that came between two looks at the layout once made the record one that is not there yet.
    @Test(.timeLimit(.minutes(1))) func `a record that is trimmed while it is looked for is trimmed, not to come`()
        async throws
    {
        let log = try EngineHarness()
        try log.fill(40)
        let store = log.store
        let whole = store.withLayout { $0 }
        let isOver = StressRun.Flag()
        // A thread, and no task: while this one never waits, there may be no other thread for a task.
        let trimming = Thread {
            while !isOver.isRaised {
                store.withLayout { $0.trimmed(before: SegmentID(1)) }
                store.withLayout { $0 = whole }
            }
        }
        trimming.start()
        defer { isOver.raise() }
        var (found, trimmed, missing) = (0, 0, 0)
        while min(found, trimmed) < 5000 {
            do throws(LogError) {
                if try store.position(of: .first) == nil { missing += 1 } else { found += 1 }
            } catch {
                trimmed += 1
            }
        }
        isOver.raise()
        while !trimming.isFinished { try await Task.sleep(for: .milliseconds(1)) }
        #expect(missing == 0)
    }

    @Test func `at the start of a segment the tail becomes the end of the one before`() throws {
        let log = try EngineHarness()
        try log.fill(40)
        let length = try #require(log.store.segments.first).byteCount
        for offset in [64, 0] as [UInt32] {
            let log = try EngineHarness()
            try log.fill(40)
            try log.writer.truncate(from: Position(1, offset))
            #expect(log.tail == Position(0, UInt32(length)))
            #expect(log.store.segments.count == 1)
            try log.fill(40, prefix: "n")
            #expect(try log.values().last == EngineHarness.value(39, prefix: "n"))
        }
        #expect(throws: LogError.committed(through: log.opened.commit)) { try log.writer.truncate(from: .zero) }
    }

    @Test func `what is committed, beyond the tail or no frame is not truncated`() throws {
        let log = try EngineHarness()
        try log.append("a")
        try log.append("b")
        let commit = log.tail
        log.writer.recordCommit(commit)
        let before = try log.append("c")
        #expect(throws: LogError.committed(through: commit)) { try log.writer.truncate(from: Position(0, 64)) }
        #expect(throws: LogError.beyondTail(tail: log.tail)) {
            try log.writer.truncate(from: log.tail.advanced(by: 1))
        }
        #expect(throws: LogError.noFrame(at: before.advanced(by: 1))) {
            try log.writer.truncate(from: before.advanced(by: 1))
        }
        try log.writer.truncate(from: commit)
        #expect(try log.values() == ["a", "b"])
    }

    @Test func `a truncation that is cut off leaves the old log, the new one or something between, never a hole`()
        throws
    {
        let probe = try Self.truncatable()
        let start = probe.disk.counts.operations
        try probe.writer.truncate(from: Self.cutPosition)
        let operations = probe.disk.counts.operations - start
        #expect(operations > 5)
        for stop in 1...operations {
            for seed in 1...6 as ClosedRange<UInt64> {
                let log = try Self.truncatable(seed: seed)
                let before = try log.values()
                log.disk.inject(.stop, atOperation: log.disk.counts.operations + stop)
                #expect(throws: LogError.self) { try log.writer.truncate(from: Self.cutPosition) }
                log.disk.cutPower(.losesSome)
                let after = try EngineHarness(log.disk).values()
                #expect(before.starts(with: after), "stop \(stop) seed \(seed)")
                #expect(after.count >= Self.keptCount, "stop \(stop) seed \(seed)")
            }
        }
    }

    private static let keptCount = 5
    private static var cutPosition: Position {
        guard let log = try? EngineHarness(), (try? log.fill(keptCount)) != nil else { return .zero }
        return log.tail
    }

    private static func truncatable(seed: UInt64 = 1) throws -> EngineHarness {
        let log = try EngineHarness(SimulatedFileSystem(seed: seed))
        try log.fill(80)
        try log.writer.sync()
        return log
    }

    @Test func `whole segments go by a trim, and readers below are told where the log begins`() throws {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.sync()
        let second = try #require(log.store.segments.dropFirst(2).first)
        #expect(try log.writer.trim(before: Position(2, 100)) == Position(2, 0))
        #expect(log.store.first == Position(2, 0))
        #expect(log.store.firstIndex == second.firstIndex)
        #expect(throws: LogError.trimmed(first: Position(2, 0))) {
            try log.store.read(from: Position(1, 0), through: log.tail, byteCountMax: 100)
        }
        #expect(throws: LogError.trimmed(first: Position(2, 0))) { try log.store.position(of: .first) }
        #expect(throws: LogError.trimmed(first: Position(2, 0))) { try log.store.chain(at: Position(0, 64)) }
        let expected = try log.values()
        try log.writer.sync()
        log.disk.cutPower(.losesAll)
        let again = try EngineHarness(log.disk)
        #expect(try again.values() == expected)
        #expect(again.store.first == Position(2, 0))
    }

    @Test func `neither the active segment nor what is not synced is trimmed`() throws {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.trim(before: log.tail)
        #expect(log.store.first == .zero)
        try log.writer.sync()
        try log.writer.trim(before: Position(1000, 0))
        #expect(log.store.first.segment == log.tail.segment)
        try log.append("goes on")
        #expect(try log.values().last == "goes on")
    }

    @Test func `a trim that is cut off is finished by the next start`() throws {
        for stop in 1...8 {
            for survival in [PowerCut.losesAll, .losesNothing, .losesSome] {
                let log = try EngineHarness(SimulatedFileSystem(seed: UInt64(stop)))
                try log.fill(100)
                try log.writer.sync()
                log.disk.inject(.stop, atOperation: log.disk.counts.operations + stop)
                _ = try? log.writer.trim(before: Position(3, 0))
                log.disk.cutPower(survival)
                let again = try EngineHarness(log.disk)
                let first = again.store.first.segment
                #expect(first == SegmentID(0) || first == SegmentID(3))
                #expect(LogFiles.segments(in: try log.disk.list(EngineHarness.directory)).first == first)
                #expect(try again.values().last == EngineHarness.value(99))
            }
        }
    }
}
