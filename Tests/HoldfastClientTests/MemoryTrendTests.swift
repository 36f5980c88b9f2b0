import Testing

@testable import HoldfastClient

/// Memory of a process over the time of a test.
@Suite struct MemoryTrendTests {
    private static let bound = 32 << 20

    private static func verdict(_ count: Int, _ sample: (Int) -> Int) -> MemoryTrend.Verdict? {
        var trend = MemoryTrend()
        for number in 0..<count { trend.add(sample(number)) }
        return trend.verdict
    }

    @Test func `a slow leak is seen`() throws {
        let verdict = try #require(Self.verdict(600) { (50 << 20) + $0 * (200 << 10) })
        #expect(verdict.isSteady && verdict.grows(byMoreThan: Self.bound))
        #expect(!verdict.grows(byMoreThan: verdict.secondHalf - verdict.firstHalf))
    }

    @Test func `what goes up and down, warms up once or grows a little is none`() throws {
        let saw = try #require(Self.verdict(600) { (50 << 20) + ($0 % 100) * (2 << 20) })
        #expect(!saw.grows(byMoreThan: Self.bound))
        let warmed = try #require(Self.verdict(600) { $0 < 200 ? 20 << 20 : 120 << 20 })
        #expect(!warmed.grows(byMoreThan: Self.bound), "it stays where it is")
        let slight = try #require(Self.verdict(600) { (50 << 20) + $0 * (20 << 10) })
        #expect(slight.isSteady && !slight.grows(byMoreThan: Self.bound))
    }

    @Test func `a day is kept in as little as a quarter of an hour`() throws {
        let long = try #require(Self.verdict(86_400) { $0 * 4_096 })
        #expect(long.isSteady && long.grows(byMoreThan: Self.bound))
        #expect(abs(long.firstHalf - 86_400 * 1_024) < 1 << 20 && abs(long.secondHalf - 86_400 * 3_072) < 1 << 20)
    }

    @Test func `a few samples say nothing`() {
        #expect(Self.verdict(MemoryTrend.sampleCountMin - 1) { $0 << 20 } == nil)
    }
}
