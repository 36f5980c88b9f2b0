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
        let moments = disk.takeRecording()
        let faults = Self.faults(moments) { steps in firsts.last { $0.step <= steps }?.first ?? 0 }
        #expect(faults == [])

        // The same when the first crash came between the two stores of a reset, and the next process stores at once.
        for moment in moments {
            let floor = firsts.last { $0.step <= moment.step }?.first ?? 0
            let disk = moment.afterPowerCut(.losesNothing)
            let files = LogFiles(fileSystem: disk, directory: EngineHarness.directory)
            disk.startRecording()
            let (durable, found) = try DurableFile.open(files)
            let opened = disk.counts.steps
            for offset in 1...3 as ClosedRange<UInt32> { durable.update { $0.durable.position = Position(9, offset) } }
            let first = try #require(found).first.rawValue
            // Once it is opened, whoever opens it next must find the same.
            let faults = Self.faults(disk.takeRecording()) { $0 >= opened ? first : floor }
            #expect(faults == [], "second crash after \(moment.what), step \(moment.step)")
        }
    }

    private static func faults(_ moments: [DiskMoment], floor: (Int) -> UInt32) -> [String] {
        var explorer = CrashExplorer<DurableRecord?>(.full)
        var faults: [String] = []
        explorer.explore(moments) { disk in
            (try? DurableFile.open(LogFiles(fileSystem: disk, directory: EngineHarness.directory)))?.found
        } judge: { crash, found in
            let floor = floor(crash.completedSteps)
            guard let found else { return faults.append("\(crash.description): unreadable") }
            if found.first.rawValue < floor || found.first.rawValue > floor + 1 {
                faults.append("\(crash.description): \(found.first), not \(floor)")
            }
        }
        return faults
    }
}
