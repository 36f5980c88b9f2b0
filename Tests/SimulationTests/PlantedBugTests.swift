import RaftCore
import Simulation
import Testing

/// Proves that the simulator bites: with a bug planted, one of 2,000 seeds catches it.
struct PlantedBugTests {
    struct Hunt {
        /// The first of these seeds is known to catch the bug. A change of the simulator moves it: then it takes longer.
        var seeds: StrideThrough<UInt64>
        var faults: SimulationFaults

        init(from seed: UInt64, by step: Int = 1, faults: SimulationFaults = .all) {
            self.seeds = stride(from: seed, through: 2_000, by: step)
            self.faults = faults
        }
    }

    private static let hunts: [PlantedBug: Hunt] = [
        .voteNotPersisted: Hunt(from: 16),
        .forgetVoteAtRestart: Hunt(from: 8),
        .ignoreOutgoing: Hunt(from: 138, faults: [.membership, .partitions, .kills]),
        .grantToShorterLog: Hunt(from: 4),
        // It takes leaders that die in a certain order, and little else.
        .commitOldTermByCount: Hunt(from: 80, by: 4, faults: [.churn, .partitions, .resets]),
        .countOwnUnsynced: Hunt(from: 16),
        .commitUnconfirmed: Hunt(from: 44, by: 4),
        .tellTailAsCommit: Hunt(from: 268, by: 4),
        .readWithoutRound: Hunt(from: 93),
        .readBeforeOwnCommit: Hunt(from: 17),
        .acknowledgeBeforeSync: Hunt(from: 2),
        .syncVouchesForLater: Hunt(from: 4),
        .skipSync: Hunt(from: 1),
        .skipTruncate: Hunt(from: 8),
        .streamFromCommit: Hunt(from: 12),
        .rotateForTermStart: Hunt(from: 4),
        .answerDuplicateAtOnce: Hunt(from: 1),
        .keepWaitingWhenDeposed: Hunt(from: 179),
    ]

    @Test(arguments: hunts.keys.sorted { $0.rawValue < $1.rawValue })
    func `a planted bug is caught`(bug: PlantedBug) throws {
        let hunt = try #require(Self.hunts[bug])
        var violation: Violation?
        for seed in hunt.seeds where violation == nil {
            var configuration = SimulationConfiguration(seed: seed)
            configuration.planted = bug
            configuration.faults = hunt.faults
            violation = SimulationRunner.run(configuration).violation
            if let violation { print("\(bug): seed \(seed), \(violation)") }
        }
        #expect(violation != nil)
    }

    @Test func `every bug of the list is hunted, here or by the explorer`() {
        let hunted = Set(Self.hunts.keys).union(RaftExplorerTests.plantedBugs.keys)
        #expect(hunted == Set(PlantedBug.allCases))
        #expect(Self.hunts.count >= 12)
    }
}
