import DiskIO
import LogModel
import Simulation
import Testing

@testable import SegmentLog

/// The same for the public log with its threads. Their steps may fall in another order each time; what is promised does
/// not depend on that.
@Suite struct `Crashes of the public log` {
    @Test(arguments: [FsyncPolicy.always, .batch(windowMilliseconds: 1), .os])
    func `every crash leaves what the policy promises`(_ policy: FsyncPolicy) async throws {
        let disk = SimulatedFileSystem()
        disk.startRecording()
        var promises = CrashPromises(disk)
        var configuration = EngineHarness.configuration()
        configuration.policy = policy
        try await Self.work(disk, configuration, &promises)
        let bound =
            Crashes.isFull
            ? CrashBound(exhaustiveUnitsMax: 8, tornByteStride: 1, tornEndByteCount: 200)
            : CrashBound(exhaustiveUnitsMax: 3, tornByteStride: 37, tornEndByteCount: 64)
        let noted = promises
        let moments = disk.takeRecording()
        let exploration = try await HeavyWork.run {
            Crashes.explore(moments, bound, mode: .standalone) { noted.after($0) }
        }
        print("\(policy): \(exploration)")
        #expect(exploration.faults == [])
    }

    private static func work(
        _ disk: SimulatedFileSystem, _ configuration: LogConfiguration, _ promises: inout CrashPromises
    ) async throws {
        var log = try await SegmentLog.open(configuration, fileSystem: disk).log
        promises.note { $0.starts = 1 }
        var ends: [Position] = []
        for number in 0..<12 {
            let values = (0...(number % 3)).map {
                "p\(number).\($0)-" + String(repeating: "y", count: number * 211 % 700)
            }
            promises.attempts(values)
            ends.append(try await log.append(contentsOf: values.map { Record($0) }).end)
            if configuration.policy == .always { promises.synced() } else { promises.returned() }
            if number == 6 {
                try await log.sync()
                promises.synced()
            }
            if number == 4 {
                promises.beginsTruncation(to: 6)
                try await log.truncate(from: ends[2])
                promises.truncated(to: 6)
            }
        }
        try await Self.appendTogether(log, configuration, &promises)
        try await log.sync()
        promises.synced()
        promises.beginsTrim(to: log.nextIndex)
        try await log.trim(before: log.tail)
        promises.trimmed(to: log.firstIndex)
        try await log.close()
        promises.synced()
        log = try await SegmentLog.open(configuration, fileSystem: disk).log
        promises.note { $0.starts = 2 }
        promises.attempts(["last"])
        try await log.append(Record("last"))
        if configuration.policy == .always { promises.synced() } else { promises.returned() }
        try await log.close()
        promises.synced()
    }

    /// Three that share their syncs: of equal values, since nobody knows beforehand which comes first.
    private static func appendTogether(
        _ log: SegmentLog, _ configuration: LogConfiguration, _ promises: inout CrashPromises
    ) async throws {
        for _ in 0..<3 { promises.attempts(["together"]) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 { group.addTask { try await log.append(Record("together")) } }
            try await group.waitForAll()
        }
        if configuration.policy == .always { promises.synced() } else { promises.returned() }
    }
}
