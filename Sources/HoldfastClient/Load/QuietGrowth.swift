/// How much more a process takes with each minute in which nothing happens to it but its work: of memory, of descriptors.
///
/// Rule: samples are of one process, and begin when all that it keeps within bounds is full. Why: a process that is started
/// anew takes more and more until then, and so do caches; what still grows afterwards has no bound.
///
///     | first third | second third | last third |
///        median -------- growth ------> median
///
/// Medians pass over what an append, a scrape or a rotation takes for a moment.
package struct QuietGrowth: Sendable {
    /// Of one process in a run of any length; at one a second, five minutes.
    package static let sampleCountMax = 300
    /// Fewer say nothing.
    package static let sampleCountMin = 20

    private var samples: [(seconds: Double, value: Int)] = []

    package init() {}

    /// - Parameter seconds: From any moment on, the same for all samples; later than those before.
    package mutating func add(_ value: Int, atSeconds seconds: Double) {
        guard self.samples.count < Self.sampleCountMax else { return }
        self.samples.append((seconds, value))
    }

    /// Below 0 for a process that gives back; `nil` as long as there are too few samples.
    package var perMinute: Double? {
        guard self.samples.count >= Self.sampleCountMin else { return nil }
        let third = self.samples.count / 3
        let (first, last) = (self.samples.prefix(third), self.samples.suffix(third))
        let seconds = Self.median(last.map(\.seconds)) - Self.median(first.map(\.seconds))
        guard seconds > 0 else { return nil }
        let growth = Self.median(last.map { Double($0.value) }) - Self.median(first.map { Double($0.value) })
        return growth * 60 / seconds
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
