import Testing

@testable import HoldfastClient

/// What a process takes while nothing but its work happens to it.
@Suite struct QuietGrowthTests {
    /// Samples at one a second.
    private static func perMinute(_ count: Int, _ sample: (Int) -> Int) throws -> Double {
        var growth = QuietGrowth()
        for second in 0..<count { growth.add(sample(second), atSeconds: Double(second)) }
        return try #require(growth.perMinute)
    }

    private static let bound = 3 * 1_048_576.0

    @Test(arguments: [30, 60, 300]) func `a leak of 100 KB a second is seen, whatever else goes up and down`(
        seconds: Int
    )
        throws
    {
        let plain = try Self.perMinute(seconds) { (60 << 20) + $0 * 100_000 }
        #expect(abs(plain - 6_000_000) < 1)
        // Each tenth second a page is read, and each seventh a segment ends.
        let busy = try Self.perMinute(seconds) {
            (60 << 20) + $0 * 100_000 + ($0 % 10 == 0 ? 8 << 20 : 0) - ($0 % 7 == 0 ? 1 << 20 : 0)
        }
        #expect(busy > Self.bound, "\(busy)")
    }

    @Test(arguments: [30, 60, 300]) func `a steady process does not grow, however restless it is`(seconds: Int) throws {
        #expect(try Self.perMinute(seconds) { _ in 60 << 20 } == 0)
        let peaks = try Self.perMinute(seconds) { (60 << 20) + ($0 % 10 == 9 ? 32 << 20 : 0) }
        #expect(peaks == 0)
        let wave = try Self.perMinute(seconds) { (60 << 20) + ($0 % 4) * (64 << 10) }
        #expect(abs(wave) < Self.bound, "\(wave)")
        #expect(try Self.perMinute(seconds) { (60 << 20) - $0 * 100_000 } < 0)
    }

    @Test func `a descriptor that is left open every three seconds is seen, and a few that come and go are none`()
        throws
    {
        #expect(try Self.perMinute(60) { 40 + $0 / 3 } > 12)
        #expect(try abs(Self.perMinute(60) { 40 + [0, 3, 1, 2][$0 % 4] }) < 12)
    }

    @Test func `few samples say nothing, and more than are kept change nothing`() throws {
        var growth = QuietGrowth()
        for second in 0..<QuietGrowth.sampleCountMin - 1 { growth.add(second << 20, atSeconds: Double(second)) }
        #expect(growth.perMinute == nil)
        var full = QuietGrowth()
        for second in 0..<QuietGrowth.sampleCountMax { full.add(second, atSeconds: Double(second)) }
        let before = full.perMinute
        full.add(1 << 40, atSeconds: 10_000)
        #expect(full.perMinute == before)
    }

    @Test func `samples that come irregularly count with their times`() throws {
        var growth = QuietGrowth()
        // A machine that stood still for two minutes.
        for second in 0..<60 {
            growth.add(second * 1_000, atSeconds: second < 30 ? Double(second) : Double(second) + 120)
        }
        #expect(try #require(growth.perMinute) < 20_000)
    }
}
