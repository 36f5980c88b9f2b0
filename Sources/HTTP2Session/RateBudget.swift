import LogModel

/// Allows `burst` at once and `perSecond` over time (a token bucket). Time comes in from outside.
package struct RateBudget: Hashable, Sendable {
    /// At least 1.
    package let burst: UInt64
    package let perSecond: UInt64
    /// In billionths of a token: tokens x nanoseconds.
    private var credit: UInt64
    private var updated: MonotonicTime

    private static let unit: UInt64 = 1_000_000_000

    package init(burst: UInt32, perSecond: UInt32) {
        self.burst = max(1, UInt64(burst))
        self.perSecond = UInt64(perSecond)
        self.credit = self.burst * Self.unit
        self.updated = .zero
    }

    /// - Returns: `false` when less than `count` is left; then nothing is spent.
    package mutating func spend(_ count: UInt64 = 1, now: MonotonicTime) -> Bool {
        if now > self.updated {
            // No more time than fills the bucket, so that the product stays small.
            let elapsed = min(now.nanoseconds - self.updated.nanoseconds, 3600 * Self.unit)
            let (earned, overflow) = elapsed.multipliedReportingOverflow(by: self.perSecond)
            self.credit = overflow ? self.burst * Self.unit : min(self.burst * Self.unit, self.credit &+ earned)
            self.updated = now
        }
        guard self.credit / Self.unit >= count else { return false }
        self.credit -= count * Self.unit
        return true
    }

    /// Adds `count` beside what time adds; never over `burst`.
    package mutating func earn(_ count: UInt64) {
        self.credit = min(self.burst * Self.unit, self.credit + count * Self.unit)
    }
}
