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
        .voteNotPersisted: Hunt(from: 26),
        .forgetVoteAtRestart: Hunt(from: 200),
        .grantToShorterLog: Hunt(from: 26),
        .voteWithLostLog: Hunt(from: 203, by: 5),
        .ignoreOutgoing: Hunt(from: 338),
        .commitOldTermByCount: Hunt(from: 1376, by: 4),
        // Where members come and go, a third node mostly has what the leader loses.
        .countOwnUnsynced: Hunt(from: 236, by: 4, faults: .all.subtracting(.membership)),
        .commitUnconfirmed: Hunt(from: 392, by: 4),
        .tellTailAsCommit: Hunt(from: 172, by: 4),
        .readWithoutRound: Hunt(from: 319),
        .readBeforeOwnCommit: Hunt(from: 1),
        .acknowledgeBeforeSync: Hunt(from: 31),
        .syncVouchesForLater: Hunt(from: 4),
        .skipSync: Hunt(from: 1),
        .skipTruncate: Hunt(from: 1),
        .streamFromCommit: Hunt(from: 1544, by: 4),
        .rotateForTermStart: Hunt(from: 20),
        .answerDuplicateAtOnce: Hunt(from: 4),
        .keepWaitingWhenDeposed: Hunt(from: 31),
        .ignoreStarts: Hunt(from: 200),
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
