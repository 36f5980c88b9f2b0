/// Whether a process takes more and more memory, however slowly: samples that are taken at equal intervals.
///
/// A node that is started anew takes little at first, and one that works much takes more for a while: medians of long parts
/// say neither of it, and a leak shows in each part that follows.
package struct MemoryTrend: Sendable {
    /// Then every other one goes, and only every other one that comes is kept.
    package static let sampleCountMax = 1_024
    /// Fewer say nothing.
    package static let sampleCountMin = 60

    package struct Verdict: Hashable, Sendable {
        /// Medians, in bytes.
        package var firstHalf: Int
        package var secondHalf: Int
        /// Whether each quarter took more than the one before.
        package var isSteady: Bool

        package func grows(byMoreThan byteCount: Int) -> Bool {
            self.isSteady && self.secondHalf - self.firstHalf > byteCount
        }
    }

    private var samples: [Int] = []
    /// One of so many that come is kept.
    private var stride = 1
    private var passedCount = 0

    package init() {}

    package mutating func add(_ byteCount: Int) {
        self.passedCount += 1
        guard self.passedCount >= self.stride else { return }
        self.passedCount = 0
        self.samples.append(byteCount)
        guard self.samples.count >= Self.sampleCountMax else { return }
        self.samples = self.samples.indices.filter { $0 % 2 == 1 }.map { self.samples[$0] }
        self.stride *= 2
    }

    /// `nil` as long as there are too few samples.
    package var verdict: Verdict? {
        let count = self.samples.count
        guard count >= Self.sampleCountMin else { return nil }
        let quarters = (0..<4).map { Self.median(self.samples[$0 * count / 4..<($0 + 1) * count / 4]) }
        return Verdict(
            firstHalf: Self.median(self.samples[..<(count / 2)]), secondHalf: Self.median(self.samples[(count / 2)...]),
            isSteady: zip(quarters, quarters.dropFirst()).allSatisfy { $0 < $1 })
    }

    private static func median(_ samples: ArraySlice<Int>) -> Int { samples.sorted()[samples.count / 2] }
}
