import DiskIO

/// How often requests were refused, by the code of the answer; there are as many codes as ``ProblemCode`` has.
final class RefusalCounts: Sendable {
    private let counts = Lock<[String: UInt64]>([:])

    func note(_ code: String) { self.counts.withLock { $0[code, default: 0] += 1 } }

    var all: [String: UInt64] { self.counts.withLock { $0 } }
}
