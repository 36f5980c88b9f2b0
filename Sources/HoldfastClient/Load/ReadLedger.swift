import DequeModule
import LogModel

/// What one reader of the log has seen, from where the log begins by now: the same for all who read the same records in the
/// same order.
///
///     first                      next
///       |-- a hash for each record --|            a reader that keeps up
///     next            first
///       |- - - - - - - - |                        one that lags behind a trim: what it still reads counts no more
package struct ReadLedger: Sendable {
    /// The first record that ``digest`` and ``count`` are about.
    package private(set) var first: LogIndex
    package private(set) var next: LogIndex
    /// Records that came out of turn: left out, or a second time.
    package private(set) var outOfTurn = 0
    /// How often what came next was trimmed, and it went on where the log begins.
    package private(set) var trimCount = 0
    /// Of each record from ``first`` on: eight bytes for each that is kept.
    private var hashes: Deque<Int> = []

    package init(from first: LogIndex) {
        self.first = first
        self.next = first
    }

    package var count: UInt64 { UInt64(self.hashes.count) }

    /// Equal for equal records, within one process.
    package var digest: Int {
        var hasher = Hasher()
        for hash in self.hashes { hasher.combine(hash) }
        return hasher.finalize()
    }

    package mutating func see(_ record: IndexedRecord) {
        if record.index != self.next { self.outOfTurn += 1 }
        self.next = record.index.advanced(by: 1)
        guard record.index >= self.first else { return }
        var hasher = Hasher()
        hasher.combine(record.index)
        hasher.combine(record.record.value)
        self.hashes.append(hasher.finalize())
    }

    /// Records before `first` count no more, whether they were read or are still to come.
    package mutating func forget(before first: LogIndex) {
        guard first > self.first else { return }
        self.hashes.removeFirst(Int(min(first.rawValue - self.first.rawValue, self.count)))
        self.first = first
    }

    /// The log begins behind what came next.
    package mutating func skip(to first: LogIndex) {
        self.trimCount += 1
        // Whoever is told so must have stood below.
        if first <= self.next { self.outOfTurn += 1 }
        self.hashes.removeAll()
        // A later trim may be known already.
        self.first = max(self.first, first)
        self.next = first
    }
}
