import DiskIO

/// How often requests were refused, by the code of the answer; there are as many codes as ``ProblemCode`` has.
///
/// All of them from the beginning: what a scraper first sees above zero has not risen, as far as it knows.
final class RefusalCounts: Sendable {
    private let counts = Lock<[String: UInt64]>(
        Dictionary(uniqueKeysWithValues: ProblemCode.allCases.map { ($0.rawValue, 0) }))

    func note(_ code: String) { self.counts.withLock { $0[code, default: 0] += 1 } }

    var all: [String: UInt64] { self.counts.withLock { $0 } }
}
