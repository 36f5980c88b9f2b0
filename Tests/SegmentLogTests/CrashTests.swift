import DiskIO
import Foundation
import LogModel
import Simulation
import Testing

@testable import SegmentLog

/// Stops the machine or the process after each step of a workload, and in the middle of each write, leaves each disk
/// that the crash could leave, and opens the log again.
@Suite struct `Crashes` {
    /// `HOLDFAST_EXPLORE=full` looks at far more disks, for minutes.
    static let isFull = ProcessInfo.processInfo.environment["HOLDFAST_EXPLORE"] == "full"

    /// Stored into mappings, and written where stores could fail.
    @Test(arguments: [true, false])
    func `every crash of a busy engine leaves what was promised, and appends go on`(_ isMapped: Bool) async throws {
        let exploration = try await HeavyWork.run {
            var workload = try CrashWorkload(isMapped: isMapped)
            try workload.run()
            let promises = workload.promises
            return Self.explore(workload.disk.takeRecording(), Self.isFull ? .full : .quick, mode: .cluster) {
                promises.after($0)
            }
        }
        print("engine, \(isMapped ? "mapped" : "written"): \(exploration)")
        #expect(exploration.momentCount > 150)
        #expect(exploration.faults == [])
    }

    @Test func `a second crash, while opening after the first, loses nothing either`() async throws {
        let exploration = try await HeavyWork.run {
            var workload = try CrashWorkload()
            try workload.run()
            var exploration = Exploration()
            for (number, moment) in workload.disk.takeRecording().enumerated() where Self.isFull || number % 16 == 7 {
                let promise = workload.promises.after(moment.step)
                for survival in [PowerCut.losesAll, .losesNothing, .losesSome] {
                    exploration += try Self.exploreOpening(moment, survival, promise)
                }
            }
            return exploration
        }
        print("second crash: \(exploration)")
        #expect(exploration.faults == [])
    }

    private static func exploreOpening(
        _ moment: DiskMoment, _ survival: PowerCut, _ promise: CrashPromise
    ) throws -> Exploration {
        let bound =
            Self.isFull
            ? CrashBound(exhaustiveUnitsMax: 5, tornByteStride: 64, tornEndByteCount: 64)
            : CrashBound(exhaustiveUnitsMax: 0, tornByteStride: 1000, tornEndByteCount: 1)
        let disk = moment.afterPowerCut(survival)
        disk.startRecording()
        _ = try EngineHarness(disk)
        var promise = promise
        // The death of a process after a power cut brings nothing back.
        promise.writtenCount = promise.durableCount
        let what = "opening after step \(moment.step), \(survival): "
        return Self.explore(disk.takeRecording(), bound, mode: .cluster, what) { _ in promise }
    }

    @Test(arguments: [DiskOperation.sync, .syncDirectory, .syncMapping])
    func `a log that forgot to sync would be found out`(_ operation: DiskOperation) async throws {
        let exploration = try await HeavyWork.run {
            var workload = try CrashWorkload()
            workload.disk.lie(about: operation)
            try workload.run()
            let bound = CrashBound(exhaustiveUnitsMax: 0, tornByteStride: 1000, tornEndByteCount: 1)
            let moments = workload.disk.takeRecording().enumerated().filter { $0.offset % 12 == 0 }.map(\.element)
            let promises = workload.promises
            return Self.explore(moments, bound, mode: .cluster) { promises.after($0) }
        }
        print("without \(operation): \(exploration.faults.count) of \(exploration.crashCount) crashes break a promise")
        #expect(!exploration.faults.isEmpty)
    }

    static func explore(
        _ moments: [DiskMoment], _ bound: CrashBound, mode: LogMode, _ what: String = "",
        promised: (Int) -> CrashPromise
    ) -> Exploration {
        var explorer = CrashExplorer<CrashFinding>(bound)
        var exploration = Exploration()
        let start = ContinuousClock.now
        explorer.explore(moments) { disk in
            CrashFinding(disk, mode: mode, isThorough: Self.isFull || disk.counts.steps % 5 == 0)
        } judge: { crash, finding in
            if let fault = promised(crash.completedSteps).fault(in: finding, after: crash.cause) {
                exploration.faults.append("\(what)\(crash.description): \(fault)")
            }
        }
        exploration.momentCount = explorer.momentCount
        exploration.crashCount = explorer.caseCount
        exploration.diskCount = explorer.diskCount
        exploration.duration = ContinuousClock.now - start
        return exploration
    }
}

/// How much was looked at, and what was wrong.
struct Exploration: CustomStringConvertible {
    var momentCount = 0
    var crashCount = 0
    var diskCount = 0
    var duration = Duration.zero
    var faults: [String] = []

    static func += (left: inout Self, right: Self) {
        left.momentCount += right.momentCount
        left.crashCount += right.crashCount
        left.diskCount += right.diskCount
        left.duration += right.duration
        left.faults += right.faults
    }

    var description: String {
        "\(self.momentCount) moments, \(self.crashCount) crashes, \(self.diskCount) distinct disks in \(self.duration)"
    }
}
