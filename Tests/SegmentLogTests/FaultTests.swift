import DiskIO
import LogModel
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Refuses each call of a workload, with each error that the call can give.
@Suite struct `Faults` {
    private static func run(isMapped: Bool, _ prepare: (SimulatedFileSystem) -> Void) -> FaultRun {
        let disk = SimulatedFileSystem()
        disk.setKeepsReservations(isMapped)
        prepare(disk)
        var run = FaultRun(disk)
        run.run()
        return run
    }

    /// Stored into mappings, and written where stores could fail.
    @Test(arguments: [true, false])
    func `one refused call gives a definite error or none, leaves no trace, and the log heals`(
        _ isMapped: Bool
    ) async throws {
        let good = Self.run(isMapped: isMapped) { $0.startLoggingCalls() }
        #expect(good.faults == [])
        #expect(good.errors == [])
        let calls = good.disk.callLog
        #expect(calls.count > 200)
        let (count, shrugged, faults) = try await HeavyWork.run { Self.refuseEach(of: calls, isMapped: isMapped) }
        print("faults: \(count) refusals of \(calls.count) calls, \(shrugged) of them shrugged off")
        #expect(faults == [])
    }

    private static func refuseEach(
        of calls: [DiskOperation], isMapped: Bool
    ) -> (count: Int, shrugged: Int, faults: [String]) {
        var count = 0
        var shrugged = 0
        var faults: [String] = []
        for (number, operation) in calls.enumerated() {
            let errnos = FaultRun.refusals(of: operation)
            for errno in Crashes.isFull ? errnos : [errnos[number % errnos.count]] {
                let run = Self.run(isMapped: isMapped) { $0.inject(.refuse(errno), atCall: number + 1) }
                count += 1
                if run.errors.isEmpty { shrugged += 1 }
                faults += run.faults.map { "call \(number + 1), \(operation), \(errno), \(run.errors): \($0)" }
            }
        }
        return (count, shrugged, faults)
    }

    @Test func `what a failed sync left in memory only is written again by the next start`() throws {
        let log = try EngineHarness()
        try log.append("kept")
        try log.writer.sync()
        try log.append("in memory")
        log.disk.inject(.refuse(.ioError), atNext: .sync)
        #expect(throws: LogError.self) { try log.writer.sync() }
        log.disk.killProcess()
        let again = try EngineHarness(log.disk)
        #expect(try again.values() == ["kept", "in memory"])
        log.disk.cutPower(.losesAll)
        #expect(try EngineHarness(log.disk).values() == ["kept", "in memory"])
    }

    @Test func `a failed sync of DURABLE closes the log, whoever asked for it`() throws {
        let log = try EngineHarness()
        try log.fill(60)
        try log.writer.sync()
        log.writer.recordCommit(log.tail)
        log.disk.inject(.refuse(.ioError), atNext: .syncMapping)
        #expect(throws: LogError.self) {
            try log.writer.syncDurableFile(now: MonotonicTime.zero.advanced(byMilliseconds: 5000))
        }
        #expect(throws: LogError.failed) { try log.append("no") }

        let trimming = try EngineHarness()
        try trimming.fill(60)
        try trimming.writer.sync()
        trimming.disk.inject(.refuse(.ioError), atNext: .syncMapping)
        #expect(throws: LogError.self) { try trimming.writer.trim(before: trimming.tail) }
        #expect(throws: LogError.failed) { try trimming.append("no") }
        trimming.disk.killProcess()
        #expect(try EngineHarness(trimming.disk).values().last == EngineHarness.value(59))
    }
}
