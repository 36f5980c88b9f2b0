import LogModel

/// Whom the next sync waits for: those whom the last one served, and who are on their way back.
///
/// Callers that append one record after the other come back right after their sync. A sync that began with the first of
/// them would leave the others to the next one, and from then on two groups of half the size would take turns:
///
///     sync: a b | c d | a b | c d      at once        each caller waits for two syncs
///     sync: a b c d   | a b c d        gathered       each waits for one
///
/// So a sync begins once as many wait as there were when the last one ended, or after half the time that the last one
/// took. That pays as long as a group comes back faster than a sync takes. Larger groups do better in turns, one on the
/// processor while the other is on the disk, and callers with something else to do do not come back at all: after a
/// miss the next syncs wait for nobody, twice as many after each miss in a row.
struct SyncGathering: Sendable {
    /// How many are waited for; 0 when nobody is.
    private(set) var expected = 0
    /// When the sync begins in any case.
    private(set) var deadline = MonotonicTime.zero
    /// Syncs that are still to begin with whoever comes first.
    private var skipped = 0
    private var missesInRow = 0

    /// A sync is not held up for longer than this part of the last one, and this time.
    static let divisor: UInt64 = 2
    static let nanosecondsMax: UInt64 = 1_000_000
    /// Syncs that wait for nobody after the first miss, and after many in a row.
    static let skips = 7...255

    /// Whether a sync may begin for `waiting` callers.
    func isComplete(waiting: Int) -> Bool { waiting >= self.expected }

    /// A sync ended that took `nanoseconds`, served so many callers and found so many more waiting.
    mutating func synced(served: Int, waiting: Int, nanoseconds: UInt64, now: MonotonicTime) {
        if self.skipped > 0 {
            self.skipped -= 1
            return
        }
        let callers = served + waiting
        guard callers > 1 else { return }
        self.expected = callers
        self.deadline = now.advanced(byNanoseconds: min(nanoseconds / Self.divisor, Self.nanosecondsMax))
    }

    /// A sync begins for so many.
    ///
    /// - Parameter isFull: More could not come, so that nobody is missing.
    mutating func began(waiting: Int, isFull: Bool = false) {
        guard self.expected > 0 else { return }
        if isFull || self.isComplete(waiting: waiting) {
            self.missesInRow = 0
        } else {
            self.skipped = min((Self.skips.lowerBound + 1) << self.missesInRow - 1, Self.skips.upperBound)
            self.missesInRow = min(self.missesInRow + 1, 8)
        }
        self.expected = 0
    }
}
