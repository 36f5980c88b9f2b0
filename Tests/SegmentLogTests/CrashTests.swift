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
    static let bound = Self.isFull ? CrashBound.full : .quick

    @Test func `every crash of a busy engine leaves what was promised, and appends go on`() throws {
        var workload = try CrashWorkload()
        try workload.run()
        let moments = workload.disk.takeRecording()
        #expect(moments.count > 150)
        try Self.explore(moments, workload.promises, mode: .cluster)
    }

    /// - Throws: When more is wrong than a person would read.
    static func explore(_ moments: [DiskMoment], _ promises: CrashPromises, mode: LogMode) throws {
        var explorer = CrashExplorer<CrashFinding>(Self.bound)
        var faults: [String] = []
        let start = ContinuousClock.now
        explorer.explore(moments) { disk in
            CrashFinding(disk, mode: mode, isThorough: Self.isFull || disk.counts.steps % 5 == 0)
        } judge: { crash, finding in
            guard let fault = promises.after(crash.completedSteps).fault(in: finding, after: crash.cause) else {
                return
            }
            faults.append("\(crash.description): \(fault)")
        }
        print(
            "crashes: \(explorer.momentCount) moments, \(explorer.caseCount) crashes,",
            "\(explorer.diskCount) distinct disks in \(ContinuousClock.now - start)")
        #expect(faults.isEmpty, "\(faults.count) faults: \(faults.prefix(5).joined(separator: "\n"))")
    }
}
