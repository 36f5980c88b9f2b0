import Logging

/// How often one bound of a listener was broken, and when that is said: at most once a second, since an attacker should
/// not fill the journal.
package struct BreachCount: Sendable {
    private static let silenceNanoseconds: UInt64 = 1_000_000_000

    package private(set) var count: UInt64 = 0
    private var unsaidCount: UInt64 = 0
    /// Monotonic nanoseconds.
    private var saidAt: UInt64?

    package init() {}

    /// - Parameter now: Monotonic nanoseconds.
    /// - Returns: `nil` when it is not to be said; else how many were not said before.
    package mutating func add(now: UInt64) -> UInt64? {
        self.count += 1
        if let saidAt, now < saidAt + Self.silenceNanoseconds {
            self.unsaidCount += 1
            return nil
        }
        self.saidAt = now
        defer { self.unsaidCount = 0 }
        return self.unsaidCount
    }

    package static let hint = "mend the client there, or close the port to it: the article Hardening says what is borne"

    /// Says in a journal that somebody broke a bound, and what is to be done about it.
    ///
    /// - Parameters:
    ///   - limit: The bound's name, as metrics have it.
    ///   - unsaidCount: What ``add(now:)`` returned.
    package static func tell(
        _ message: Logger.Message, by peer: String, limit: String, unsaidCount: UInt64, hint: String = Self.hint,
        to logger: Logger
    ) {
        let unsaid: Logger.Metadata = unsaidCount > 0 ? ["unsaid": "\(unsaidCount)"] : [:]
        logger.warning(
            message,
            metadata: ["peer": "\(peer)", "limit": "\(limit)", "hint": "\(hint)"].merging(unsaid) { $1 })
    }
}
