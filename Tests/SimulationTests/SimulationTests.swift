import RaftCore
import Simulation
import Testing

struct SimulationTests {
    @Test func `every promise holds under all faults`() {
        for seed in UInt64(1)...24 {
            let report = SimulationRunner.run(SimulationConfiguration(seed: seed))
            #expect(report.violation == nil, "seed \(seed)")
            #expect(report.appendsAcknowledged > 0, "seed \(seed)")
        }
    }

    @Test(arguments: [1, 2, 5]) func `clusters of other sizes keep their promises too`(nodeCount: Int) {
        for seed in UInt64(500)...503 {
            var configuration = SimulationConfiguration(seed: seed)
            configuration.nodeCount = nodeCount
            #expect(SimulationRunner.run(configuration).violation == nil, "seed \(seed)")
        }
    }

    @Test func `the same seed gives the same run, another seed another`() {
        let first = SimulationRunner.run(SimulationConfiguration(seed: 7))
        let again = SimulationRunner.run(SimulationConfiguration(seed: 7))
        let other = SimulationRunner.run(SimulationConfiguration(seed: 8))
        #expect(first.traceHash == again.traceHash)
        #expect(first.stepCount == again.stepCount)
        #expect(first.traceHash != other.traceHash)
    }

    @Test func `a run meets what it is there for`() {
        var crashes = 0
        var truncations = 0
        var duplicates = 0
        var sealed = 0
        var changes = 0
        var disksLost = 0
        var restored = 0
        var retired = 0
        for seed in UInt64(1)...32 {
            let report = SimulationRunner.run(SimulationConfiguration(seed: seed))
            crashes += report.crashes
            truncations += report.truncations
            duplicates += report.duplicatesAnswered
            sealed += report.segmentsSealed
            changes += report.membershipChanges
            disksLost += report.disksLost
            restored += report.directoriesRestored
            retired += report.restoredNodesRetired
        }
        #expect(crashes > 20 && truncations > 0 && duplicates > 5 && sealed > 50)
        #expect(changes > 10 && disksLost > 5)
        #expect(restored > 3 && retired > 0)
    }

    @Test func `writers meet what they are there for`() {
        var repeated = 0
        var byAll = 0
        var refused = 0
        var fenced = 0
        var cursors = 0
        for seed in stride(from: UInt64(100), through: 136, by: 3) {
            let report = SimulationRunner.run(SimulationConfiguration(seed: seed))
            #expect(report.violation == nil, "seed \(seed)")
            repeated += report.keysRepeated
            byAll += report.acknowledgedByAll
            refused += report.conditionsRefused
            fenced += report.writersFenced
            cursors += report.cursorsChecked
        }
        #expect(byAll > 20)
        #expect(repeated > 0 && refused > 50 && fenced > 20 && cursors > 50)
    }

    @Test func `under os nothing acknowledged is lost when one node at a time loses power`() {
        var barred = 0
        for seed in UInt64(1)...24 {
            var configuration = SimulationConfiguration(seed: seed)
            configuration.policy = .os
            let report = SimulationRunner.run(configuration)
            #expect(report.violation == nil, "seed \(seed)")
            #expect(report.appendsAcknowledged > 0, "seed \(seed)")
            barred += report.startsBarred
        }
        #expect(barred > 20)
    }

    @Test func `under batch a window's writes share a sync, and every promise holds`() {
        for seed in UInt64(1)...12 {
            var configuration = SimulationConfiguration(seed: seed)
            configuration.policy = .batch(windowMilliseconds: 5)
            let report = SimulationRunner.run(configuration)
            #expect(report.violation == nil, "seed \(seed)")
            #expect(report.appendsAcknowledged > 0, "seed \(seed)")
        }
    }

    @Test func `full disks refuse appends until there is room, and failed syncs stop nodes`() {
        var filled = 0
        var withoutRoom = 0
        var failed = 0
        for seed in [UInt64(2), 12, 16, 33, 40, 44, 47, 54] {
            let report = SimulationRunner.run(SimulationConfiguration(seed: seed))
            #expect(report.violation == nil, "seed \(seed)")
            #expect(report.appendsAcknowledged > 0, "seed \(seed)")
            filled += report.disksFilled
            withoutRoom += report.appendsWithoutRoom
            failed += report.syncsFailed
        }
        #expect(filled > 5 && withoutRoom > 0 && failed > 5)
    }

    @Test func `disks are in trouble only in the runs that are there for it, and only as asked`() {
        let other = SimulationRunner.run(SimulationConfiguration(seed: 7))
        #expect(other.disksFilled == 0 && other.syncsFailed == 0)
        var configuration = SimulationConfiguration(seed: 9)
        configuration.faults = [.fullDisks, .trims]
        let full = SimulationRunner.run(configuration)
        #expect(full.violation == nil)
        #expect(full.disksFilled > 0 && full.syncsFailed == 0 && full.crashes == 0)
    }

    @Test func `runs of appends are retried as such, or one by one where some are there`() {
        var retried = 0
        var takenApart = 0
        for seed in stride(from: UInt64(300), through: 336, by: 3) {
            let report = SimulationRunner.run(SimulationConfiguration(seed: seed))
            #expect(report.violation == nil, "seed \(seed)")
            retried += report.duplicatesAnswered
            takenApart += report.runsTakenApart
        }
        #expect(retried > 10 && takenApart > 5)
    }

    /// Under `os` nothing told a node that a full segment was persisted, and so its damage was never repaired.
    @Test func `under os damage is repaired while nodes run`() {
        var repaired = 0
        for seed in [UInt64(18), 28, 38, 43] {
            var configuration = SimulationConfiguration(seed: seed)
            configuration.policy = .os
            let report = SimulationRunner.run(configuration)
            #expect(report.violation == nil, "seed \(seed)")
            repaired += report.segmentsRepaired
        }
        #expect(repaired > 3)
    }

    /// Seeds that failed once, with the faults that there were then.
    @Test(arguments: [UInt64(2889), 104_117]) func `seeds that found a bug stay green`(seed: UInt64) {
        var configuration = SimulationConfiguration(seed: seed)
        configuration.faults.subtract(.membership)
        #expect(SimulationRunner.run(configuration).violation == nil)
    }
}
