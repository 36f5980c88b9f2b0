import DiskIO
import LogModel
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Stops the disk at each operation of a workload with rotations, cuts the power, and opens again.
@Suite struct `Crashes` {
    /// What a run got done before the disk stopped.
    private struct Progress {
        var attempted: [String] = []
        var promised = 0
    }

    /// Appends, syncs now and then, prepares segments at times, truncates once, trims once.
    private static func work(_ disk: SimulatedFileSystem) -> Progress {
        var progress = Progress()
        do throws(LogError) {
            let log = try EngineHarness(disk)
            var now = MonotonicTime.zero
            for number in 0..<45 {
                let value = EngineHarness.value(number)
                progress.attempted.append(value)
                try log.append(value)
                now = now.advanced(byMilliseconds: 400)
                if number % 4 == 3 {
                    try log.writer.sync(now: now)
                    progress.promised = progress.attempted.count
                }
                if number % 3 == 0 { try log.writer.prepareNextSegment() }
            }
            try log.writer.close(now: now)
            progress.promised = progress.attempted.count
        } catch {
            return progress
        }
        return progress
    }

    private static let operationCount: Int = {
        let disk = SimulatedFileSystem()
        _ = Self.work(disk)
        return disk.counts.operations
    }()

    @Test(arguments: [PowerCut.losesAll, .losesNothing, .losesSome])
    func `the promised prefix survives a power cut at every operation, and appends go on`(_ survival: PowerCut) throws {
        #expect(Self.operationCount > 100)
        for stop in 1...Self.operationCount {
            for seed in 1...(survival == .losesSome ? 3 : 1) as ClosedRange<UInt64> {
                let disk = SimulatedFileSystem(seed: seed &* 1000 &+ UInt64(stop))
                disk.inject(.stop, atOperation: stop)
                let progress = Self.work(disk)
                disk.cutPower(survival)
                try Self.check(disk, progress, "stop \(stop) seed \(seed) \(survival)")
            }
        }
    }

    @Test func `everything written survives the death of the process at every operation`() throws {
        for stop in 1...Self.operationCount {
            let disk = SimulatedFileSystem(seed: UInt64(stop))
            disk.inject(.stop, atOperation: stop)
            let progress = Self.work(disk)
            disk.killProcess()
            var written = progress
            // The last one was refused.
            written.promised = max(progress.promised, progress.attempted.count - 1)
            try Self.check(disk, written, "stop \(stop)")
        }
    }

    @Test func `a crash during recovery loses nothing either`() throws {
        for stop in stride(from: 20, to: Self.operationCount, by: 7) {
            for second in 1...12 {
                let disk = SimulatedFileSystem(seed: UInt64(stop * 100 + second))
                disk.inject(.stop, atOperation: stop)
                let progress = Self.work(disk)
                disk.cutPower(.losesSome)
                disk.inject(.stop, atOperation: disk.counts.operations + second)
                _ = try? EngineHarness(disk)
                disk.cutPower(.losesSome)
                try Self.check(disk, progress, "stop \(stop), then \(second)")
            }
        }
    }

    private static func check(_ disk: SimulatedFileSystem, _ progress: Progress, _ what: String) throws {
        do {
            let log = try EngineHarness(disk)
            let values = try log.values()
            #expect(values.count >= progress.promised, "\(what): lost")
            #expect(progress.attempted.starts(with: values), "\(what): not a prefix")
            try log.append("after")
            try log.writer.sync()
            disk.cutPower(.losesAll)
            let again = try EngineHarness(disk)
            #expect(try again.values() == values + ["after"], "\(what): second opening")
        } catch {
            Issue.record("\(what): \(error)")
        }
    }
}
