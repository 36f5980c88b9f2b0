/// How often something took how long: exact counts in fixed buckets, and their sum.
///
/// Two of them differ by what happened between them, so that one that only grows serves a scraper as well as a view of
/// the last seconds.
package struct LatencyHistogram: Hashable, Sendable {
    /// Upper bounds in nanoseconds, inclusive: from a sync that needs no disk to one that holds everybody up.
    package static let bounds: [UInt64] = [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
        100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// One for each bound, and one for all that took longer.
    package private(set) var counts = [UInt64](repeating: 0, count: Self.bounds.count + 1)
    package private(set) var sumNanoseconds: UInt64 = 0

    package init() {}

    package var count: UInt64 { self.counts.reduce(0, +) }

    /// - Complexity: O(bounds), without an allocation while nobody else holds a copy.
    package mutating func note(nanoseconds: UInt64) {
        var bucket = 0
        while bucket < Self.bounds.count, nanoseconds > Self.bounds[bucket] { bucket += 1 }
        self.counts[bucket] += 1
        self.sumNanoseconds += nanoseconds
    }

    /// What was noted since `earlier`, an older copy.
    package func since(_ earlier: Self) -> Self {
        var result = self
        for bucket in result.counts.indices { result.counts[bucket] -= earlier.counts[bucket] }
        result.sumNanoseconds -= earlier.sumNanoseconds
        return result
    }

    /// The time that a share of all did not exceed, as far as the buckets tell: within one it is interpolated, and what
    /// took longer than the last bound counts as that bound.
    ///
    /// - Parameter share: 0 ... 1.
    /// - Returns: Nanoseconds; `nil` when nothing was noted.
    package func quantile(_ share: Double) -> UInt64? {
        let count = self.count
        guard count > 0 else { return nil }
        let rank = max(1, share * Double(count))
        var before = 0.0
        for (bucket, bound) in Self.bounds.enumerated() {
            let here = Double(self.counts[bucket])
            guard before + here < rank else {
                let low = bucket == 0 ? 0 : Self.bounds[bucket - 1]
                return low + UInt64(Double(bound - low) * (rank - before) / here)
            }
            before += here
        }
        return Self.bounds.last
    }
}
