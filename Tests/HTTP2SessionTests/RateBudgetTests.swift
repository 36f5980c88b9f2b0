import HTTP2Session
import LogModel
import Testing

@Suite struct RateBudgetTests {
    /// Which of the spends at these milliseconds are granted.
    private func granted(_ budget: inout RateBudget, at milliseconds: [UInt64]) -> [Bool] {
        milliseconds.map { budget.spend(now: .zero.advanced(byMilliseconds: $0)) }
    }

    @Test func `a burst is spent and time gives it back`() {
        var budget = RateBudget(burst: 3, perSecond: 2)
        let times: [UInt64] = [0, 0, 0, 0, 499, 500, 501, 100_000_000, 100_000_000, 100_000_000, 100_000_000]
        #expect(
            self.granted(&budget, at: times)
                == [true, true, true, false, false, true, false, true, true, true, false])
    }

    @Test func `several are spent together or not at all`() {
        var budget = RateBudget(burst: 5, perSecond: 1)
        let second = MonotonicTime.zero.advanced(byMilliseconds: 1_000)
        let spends: [(count: UInt64, time: MonotonicTime)] = [
            (6, .zero), (3, .zero), (3, .zero), (2, .zero), (.max, second), (1, second),
        ]
        let granted = spends.map { budget.spend($0.count, now: $0.time) }
        #expect(granted == [false, true, false, true, false, true])
    }

    @Test func `earning never exceeds the burst`() {
        var budget = RateBudget(burst: 2, perSecond: 0)
        budget.earn(100)
        #expect(self.granted(&budget, at: [0, 0, 0]) == [true, true, false])
        budget.earn(1)
        #expect(self.granted(&budget, at: [0, 0]) == [true, false])
    }
}
