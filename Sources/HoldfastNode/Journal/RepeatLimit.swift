import LogModel
import Logging

/// Lets each kind of entry through so often in an interval, and counts the rest.
///
///     1 ... 10 written, 11 ... 67 counted | interval ends | "repeated 57 times more" | 1 ...
///
/// A kind is a level and a message: what differs from entry to entry stands in the fields.
struct RepeatLimit {
    struct Kind: Hashable {
        var level: Logger.Level
        var message: String
    }

    private struct Tally {
        var begin: MonotonicTime
        var writtenCount = 0
        var suppressedCount = 0
    }

    static let countMax = 10
    static let intervalNanoseconds: UInt64 = 10_000_000_000
    /// With more kinds, all further ones of a level are one: a node knows about sixty, and what others say is no kind.
    static let kindCountMax = 256
    static let furtherKinds = "entries of further kinds"

    private var tallies: [Kind: Tally] = [:]

    /// - Returns: Whether the entry is written.
    mutating func arrived(_ kind: Kind, now: MonotonicTime) -> Bool {
        let isOwn = self.tallies[kind] != nil || self.tallies.count < Self.kindCountMax
        let kind = isOwn ? kind : Kind(level: kind.level, message: Self.furtherKinds)
        var tally = self.tallies[kind] ?? Tally(begin: now)
        if tally.writtenCount < Self.countMax {
            tally.writtenCount += 1
        } else {
            tally.suppressedCount += 1
        }
        self.tallies[kind] = tally
        return tally.suppressedCount == 0
    }

    /// - Returns: What was counted instead of written, in intervals that are over.
    mutating func ended(now: MonotonicTime) -> [(kind: Kind, count: Int)] {
        let over = self.tallies.filter { now.nanoseconds >= $0.value.begin.nanoseconds + Self.intervalNanoseconds }
        for kind in over.keys { self.tallies[kind] = nil }
        return over.filter { $0.value.suppressedCount > 0 }.map { ($0.key, $0.value.suppressedCount) }
            .sorted { $0.kind.message < $1.kind.message }
    }
}
