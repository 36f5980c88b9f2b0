/// A small seeded generator, so that the same seed and inputs give the same effects everywhere.
///
/// Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014. Not for secrets.
package struct SplitMix64: Hashable, Sendable, RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) {
        self.state = seed
    }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// One of a range that is not empty; the bias of the remainder does not matter for short ranges.
    package mutating func next(in range: Range<UInt64>) -> UInt64 {
        range.lowerBound + self.next() % (range.upperBound - range.lowerBound)
    }
}
