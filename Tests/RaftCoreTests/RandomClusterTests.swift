import RaftCore
import Testing

/// Elections are safe, leaders complete, commits final, reads linearizable; and the checks see planted bugs.
@Suite struct RandomClusterTests {
    @Test(arguments: 0..<6) func `fifty random worlds hold what Raft promises`(block: UInt64) {
        var committedCount = 0
        var leaderCount = 0
        for seed in block * 50..<block * 50 + 50 {
            let cluster = RandomCluster(seed: seed)
            cluster.run(steps: 2000)
            let isLevel = cluster.heal()
            #expect(cluster.violations.isEmpty, "seed \(seed)")
            #expect(isLevel, "seed \(seed): not level after the faults stopped")
            committedCount += cluster.committed.count
            leaderCount += cluster.leaders.count
        }
        #expect(committedCount > 50 * 10 && leaderCount > 50 * 2, "\(committedCount) frames, \(leaderCount) leaders")
    }

    @Test(arguments: [PlantedBug.commitOldTermByCount, .voteNotPersisted])
    func `a planted bug is caught`(bug: PlantedBug) {
        // Odd seeds are the hectic worlds, in which terms follow each other quickly.
        let caught = stride(from: 1 as UInt64, to: 601, by: 2).contains { seed in
            let cluster = RandomCluster(seed: seed, planted: bug)
            cluster.run(steps: 3000)
            return !cluster.violations.isEmpty
        }
        #expect(caught)
    }

    @Test func `the same seed gives the same world`() {
        let worlds = (0..<2).map { _ in
            let cluster = RandomCluster(seed: 11)
            cluster.run(steps: 2000)
            return cluster
        }
        #expect(worlds[0].committed == worlds[1].committed)
        #expect(worlds[0].nodes.map(\.frames) == worlds[1].nodes.map(\.frames))
        #expect(worlds[0].leaders == worlds[1].leaders)
    }

    /// Whatever a copy forgot would show as another world.
    @Test(arguments: [11, 12] as [UInt64]) func `a world of copied cores is the same world`(seed: UInt64) {
        let worlds = [false, true].map { isCopied in
            let cluster = RandomCluster(seed: seed, isCopied: isCopied)
            cluster.run(steps: 2000)
            return cluster
        }
        #expect(worlds[1].violations.isEmpty)
        #expect(worlds[0].committed == worlds[1].committed)
        #expect(worlds[0].nodes.map(\.frames) == worlds[1].nodes.map(\.frames))
        #expect(worlds[0].leaders == worlds[1].leaders)
    }
}
