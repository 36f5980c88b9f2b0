import LogModel

/// How much is appended now, and so how much of the log a follower that catches up from the files may have on its way:
/// while people append, as much as they do, and one RANGE at least, so that their appends hardly wait behind it and it
/// still gets nearer; else all that its window holds.
struct AppendPace: Sendable {
    private static let spanMilliseconds: UInt64 = 50
    private var began = MonotonicTime.zero
    /// Bytes placed in the span that runs, and in the one before.
    private var current = 0
    private var previous = 0

    mutating func placed(_ byteCount: Int, now: MonotonicTime) {
        self.passed(now)
        self.current += byteCount
    }

    /// - Returns: Bytes in flight, from which on nothing more is read for a follower.
    mutating func catchUpByteCountMax(_ limits: ReplicaLimits, now: MonotonicTime) -> Int {
        self.passed(now)
        let appended = max(self.previous, self.current)
        guard appended > 0 else { return limits.windowByteCountMax }
        return min(max(appended, limits.rangeByteCountMax), limits.windowByteCountMax)
    }

    private mutating func passed(_ now: MonotonicTime) {
        let spanEnd = self.began.advanced(byMilliseconds: Self.spanMilliseconds)
        guard now >= spanEnd else { return }
        self.previous = now < spanEnd.advanced(byMilliseconds: Self.spanMilliseconds) ? self.current : 0
        self.current = 0
        self.began = now
    }
}
