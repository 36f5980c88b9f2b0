import Foundation
import RaftCore
import Simulation
import Testing

/// Every interleaving of three cores, within bounds.
struct RaftExplorerTests {
    /// `HOLDFAST_EXPLORE=full` looks at far larger worlds, for many minutes.
    static let isFull = ProcessInfo.processInfo.environment["HOLDFAST_EXPLORE"] == "full"

    /// Two nodes have led and shipped nothing, as in Raft Figure 8 (c).
    private static let figure8: [[UInt64]] = [[1], [2], []]

    private static let quickWorlds = [
        ExplorationBounds(timeouts: 1, appends: 2, crashes: 1),
        ExplorationBounds(timeouts: 2, appends: 1, crashes: 0, isNarrow: true),
        ExplorationBounds(timeouts: 2, appends: 0, crashes: 1, isNarrow: true),
    ]

    private static let largeWorlds = [
        ExplorationBounds(timeouts: 2, appends: 2, crashes: 1, isNarrow: true),
        ExplorationBounds(timeouts: 2, appends: 2, crashes: 0, duplicates: 1),
        ExplorationBounds(timeouts: 2, appends: 1, crashes: 0, startTerms: figure8),
        ExplorationBounds(timeouts: 1, appends: 2, crashes: 2, pulses: 1),
        ExplorationBounds(timeouts: 3, appends: 0, crashes: 1, isNarrow: true),
        ExplorationBounds(timeouts: 2, appends: 0, crashes: 1, isNarrow: true, startTerms: figure8),
    ]

    @Test(arguments: isFull ? quickWorlds + largeWorlds : quickWorlds)
    func `no interleaving of a small world breaks a promise`(bounds: ExplorationBounds) {
        let start = ContinuousClock.now
        let exploration = RaftExplorer.explore(bounds)
        print("\(exploration) in \(ContinuousClock.now - start)")
        #expect(exploration.violation == nil, "\(exploration.trace.joined(separator: "\n"))")
        #expect(exploration.isComplete)
        // Else there was nothing to break.
        #expect(exploration.appendsCommitted == Int(bounds.appends))
        #expect(exploration.leadersElected == Int(bounds.timeouts))
    }

    @Test func `the same bounds give the same states`() {
        let bounds = ExplorationBounds(timeouts: 1, appends: 1, crashes: 1)
        let explorations = (0..<2).map { _ in RaftExplorer.explore(bounds) }
        #expect(explorations[0].stateCount == explorations[1].stateCount)
        #expect(explorations[0].transitionCount == explorations[1].transitionCount)
        #expect(explorations[0].stateCount > 1_000)
    }

    @Test func `a search that has seen too much says that it is not complete`() {
        let bounds = ExplorationBounds(timeouts: 2, appends: 2, crashes: 1)
        #expect(!RaftExplorer.explore(bounds, stateCountMax: 500).isComplete)
    }

    /// Where to look for each, and what is found first.
    static let plantedBugs: [PlantedBug: (bounds: ExplorationBounds, invariant: Invariant)] = [
        .commitOldTermByCount: (
            ExplorationBounds(timeouts: 2, appends: 0, crashes: 0, startTerms: figure8), .leaderCompleteness
        ),
        .voteNotPersisted: (ExplorationBounds(timeouts: 1, appends: 0, crashes: 1), .nothingGoesBack),
        .forgetVoteAtRestart: (ExplorationBounds(timeouts: 2, appends: 0, crashes: 1), .oneVotePerTerm),
        // Two leaders of one term have placed different frames.
        .countStaleVotes: (ExplorationBounds(timeouts: 3, appends: 0, crashes: 0), .logMatching),
        .grantToShorterLog: (ExplorationBounds(timeouts: 2, appends: 0, crashes: 0), .leaderCompleteness),
        .countOwnUnsynced: (
            ExplorationBounds(timeouts: 2, appends: 0, crashes: 1, isNarrow: true), .leaderCompleteness
        ),
        .commitUnconfirmed: (
            ExplorationBounds(timeouts: 2, appends: 0, crashes: 0, pulses: 1), .committedNeverChanges
        ),
        .tellTailAsCommit: (
            ExplorationBounds(timeouts: 2, appends: 0, crashes: 1, pulses: 1, isNarrow: true), .leaderCompleteness
        ),
    ]

    @Test(arguments: plantedBugs.keys.sorted { $0.rawValue < $1.rawValue })
    func `a planted bug of the core is found`(bug: PlantedBug) throws {
        let planted = try #require(Self.plantedBugs[bug])
        let start = ContinuousClock.now
        let exploration = RaftExplorer.explore(planted.bounds, planted: bug)
        let steps = exploration.trace.joined(separator: "\n  ")
        print("\(bug): \(exploration) in \(ContinuousClock.now - start)\n  \(steps)")
        #expect(exploration.violation?.invariant == planted.invariant)
    }

    @Test func `a commit by count is found with the steps of Figure 8`() {
        let bounds = ExplorationBounds(timeouts: 2, appends: 0, crashes: 0, startTerms: Self.figure8)
        let exploration = RaftExplorer.explore(bounds, planted: .commitOldTermByCount)
        #expect(exploration.trace.contains("node 1 ships to node 3"))
        #expect(exploration.trace.count == 13)
    }
}
