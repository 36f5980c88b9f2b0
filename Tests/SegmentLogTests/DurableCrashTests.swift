import DiskIO
import LogModel
import Simulation
import Testing

@testable import SegmentLog

@Suite struct `Crashes of DURABLE` {
    /// What a reset says is true after every crash once it has returned, and what it replaces before: records that know
    /// nothing of a trim must not come back, wherever a store is torn.
    @Test func `a reset that returned is never forgotten, wherever a store is torn`() throws {
        let disk = SimulatedFileSystem()
        try disk.makeDirectory(EngineHarness.directory)
        let files = LogFiles(fileSystem: disk, directory: EngineHarness.directory)
        try files.replace(LogFiles.durable, with: DurableFile.blank())
        disk.startRecording()
        var firsts: [(step: Int, first: UInt32)] = [(0, 0)]
        let durable = try DurableFile.open(files).file
        for number in 1...3 as ClosedRange<UInt32> {
            try durable.reset { $0.first = SegmentID(number) }
            firsts.append((disk.counts.steps, number))
            // Stores of which some are carried to the disk and some are not.
            for offset in 1...5 as ClosedRange<UInt32> {
                durable.update { $0.durable.position = Position(number, 100 * offset) }
                if offset == 2 { try durable.sync() }
            }
        }
        var explorer = CrashExplorer<DurableRecord?>(.full)
        var faults: [String] = []
        explorer.explore(disk.takeRecording()) { disk in
            (try? DurableFile.open(LogFiles(fileSystem: disk, directory: EngineHarness.directory)))?.found
        } judge: { crash, found in
            let floor = firsts.last { $0.step <= crash.completedSteps }?.first ?? 0
            guard let found else { return faults.append("\(crash.description): unreadable") }
            if found.first.rawValue < floor || found.first.rawValue > floor + 1 {
                faults.append("\(crash.description): \(found.first), not \(floor)")
            }
        }
        #expect(explorer.caseCount > 1000)
        #expect(faults == [])
    }
}
