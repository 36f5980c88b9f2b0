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
    func `every crash of a busy engine leaves what was promised, and appends go on`(_ isMapped: Bool) throws {
        var workload = try CrashWorkload(isMapped: isMapped)
        try workload.run()
        let moments = workload.disk.takeRecording()
        #expect(moments.count > 150)
        let counts = Self.explore(moments, Self.isFull ? .full : .quick, mode: .cluster) { workload.promises.after($0) }
        print("engine, \(isMapped ? "mapped" : "written"): \(counts)")
    }

    @Test func `a second crash, while opening after the first, loses nothing either`() throws {
        var workload = try CrashWorkload()
        try workload.run()
        let bound =
            Self.isFull
            ? CrashBound(exhaustiveUnitsMax: 5, tornByteStride: 64, tornEndByteCount: 64)
            : CrashBound(exhaustiveUnitsMax: 0, tornByteStride: 1000, tornEndByteCount: 1)
        let moments = workload.disk.takeRecording().enumerated().filter { Self.isFull || $0.offset % 16 == 7 }
        var counts = ExploredCounts()
        for (_, moment) in moments {
            let promise = workload.promises.after(moment.step)
            for survival in [PowerCut.losesAll, .losesNothing, .losesSome] {
                let disk = moment.afterPowerCut(survival)
                disk.startRecording()
                _ = try EngineHarness(disk)
                let what = "opening after step \(moment.step), \(survival)"
                counts += Self.explore(disk.takeRecording(), bound, mode: .cluster, what) { _ in
                    var promise = promise
                    // The death of a process after a power cut brings nothing back.
                    promise.writtenCount = promise.durableCount
                    return promise
                }
            }
        }
        print("second crash: \(counts)")
    }

    @Test(arguments: [DiskOperation.sync, .syncDirectory, .syncMapping])
    func `a log that forgot to sync would be found out`(_ operation: DiskOperation) throws {
        var workload = try CrashWorkload()
        workload.disk.lie(about: operation)
        try workload.run()
        var explorer = CrashExplorer<CrashFinding>(
            CrashBound(exhaustiveUnitsMax: 0, tornByteStride: 1000, tornEndByteCount: 1))
        var faultCount = 0
        explorer.explore(workload.disk.takeRecording().enumerated().filter { $0.offset % 12 == 0 }.map(\.element)) {
            disk in
            CrashFinding(disk, mode: .cluster, isThorough: false)
        } judge: { crash, finding in
            let promise = workload.promises.after(crash.completedSteps)
            if promise.fault(in: finding, after: crash.cause) != nil { faultCount += 1 }
        }
        #expect(faultCount > 0)
        print("without \(operation): \(faultCount) of \(explorer.caseCount) crashes break a promise")
    }

    static func explore(
        _ moments: [DiskMoment], _ bound: CrashBound, mode: LogMode, _ what: String = "engine",
        promised: (Int) -> CrashPromise
    ) -> ExploredCounts {
        var explorer = CrashExplorer<CrashFinding>(bound)
        var faults: [String] = []
        let start = ContinuousClock.now
        explorer.explore(moments) { disk in
            CrashFinding(disk, mode: mode, isThorough: Self.isFull || disk.counts.steps % 5 == 0)
        } judge: { crash, finding in
            if let fault = promised(crash.completedSteps).fault(in: finding, after: crash.cause) {
                faults.append("\(crash.description): \(fault)")
            }
        }
        #expect(faults.isEmpty, "\(what): \(faults.count) faults: \(faults.prefix(5).joined(separator: "\n"))")
        return ExploredCounts(
            moments: explorer.momentCount, crashes: explorer.caseCount, disks: explorer.diskCount,
            duration: ContinuousClock.now - start)
    }
}

/// How much was looked at.
struct ExploredCounts: CustomStringConvertible {
    var moments = 0
    var crashes = 0
    var disks = 0
    var duration = Duration.zero

    static func += (left: inout Self, right: Self) {
        left.moments += right.moments
        left.crashes += right.crashes
        left.disks += right.disks
        left.duration += right.duration
    }

    var description: String {
        "\(self.moments) moments, \(self.crashes) crashes, \(self.disks) distinct disks in \(self.duration)"
    }
}
