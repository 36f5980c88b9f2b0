import HoldfastClient
import Testing

@Suite struct MishapCoverageTests {
    private static let kinds = ["killed", "paused", "trimmed"]

    private static func coverage(_ made: [String: Int], missed: [String: Int] = [:]) -> MishapCoverage {
        MishapCoverage(possible: Self.kinds, made: made, missed: missed)
    }

    @Test func `a round in which each kind happened is sound`() {
        let all = Self.coverage(["killed": 1, "paused": 1, "trimmed": 1])
        #expect(all.isRound && all.problems.isEmpty)
        #expect(all.summary == "3 of 3 kinds of mishaps happened")
        // In a second round one was tried in vain.
        let more = Self.coverage(["killed": 2, "paused": 2, "trimmed": 1], missed: ["trimmed": 1])
        #expect(more.problems.isEmpty)
    }

    @Test func `a kind that a whole round never made is a problem, also when it was tried`() {
        let twice = Self.coverage(["killed": 2, "paused": 1])
        #expect(twice.problems == ["never happened: trimmed"])
        let inVain = Self.coverage(["killed": 1, "paused": 1], missed: ["trimmed": 1])
        #expect(inVain.problems == ["never happened, and was tried 1 x: trimmed"])
        #expect(inVain.summary == "2 of 3 kinds of mishaps happened")
        #expect(Self.coverage(["killed": 3]).problems == ["never happened: paused", "never happened: trimmed"])
    }

    @Test func `a run that was too short for a round says how much it has tested`() {
        let short = Self.coverage(["killed": 1])
        #expect(!short.isRound && short.problems.isEmpty)
        #expect(short.summary == "1 of 3 kinds of mishaps happened; a round of all takes a longer run")
        #expect(Self.coverage([:]).summary.hasPrefix("0 of 3 kinds"))
    }
}
