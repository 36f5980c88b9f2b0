import LogModel
import Testing

@Suite struct LatencyHistogramTests {
    @Test func `a time on a bound counts below it, and one nanosecond more above`() {
        var histogram = LatencyHistogram()
        histogram.note(nanoseconds: 50_000)
        histogram.note(nanoseconds: 50_001)
        histogram.note(nanoseconds: .max / 4)
        #expect(Array(histogram.counts.prefix(2)) == [1, 1])
        #expect(histogram.counts.last == 1)
        #expect(histogram.count == 3)
    }

    @Test func `what happened in between is the difference`() {
        var histogram = LatencyHistogram()
        histogram.note(nanoseconds: 1_000)
        let before = histogram
        histogram.note(nanoseconds: 2_000_000)
        let between = histogram.since(before)
        #expect(between.count == 1)
        #expect(between.sumNanoseconds == 2_000_000)
    }

    @Test func `quantiles lie in the bucket of their rank`() throws {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == nil)
        for _ in 0..<99 { histogram.note(nanoseconds: 60_000) }
        histogram.note(nanoseconds: 60_000_000_000)
        let median = try #require(histogram.quantile(0.5))
        #expect(median > 50_000 && median <= 100_000)
        #expect(histogram.quantile(1) == LatencyHistogram.bounds.last)
    }
}
