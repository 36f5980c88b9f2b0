import LogModel

/// How long it takes until something reaches a position of the log: one round at a time is timed, whatever else is on its
/// way meanwhile, so that a busy node pays for a comparison and not for a queue.
struct RoundTimes {
    private struct Round {
        var end: Position
        var began: MonotonicTime
    }

    private(set) var times = LatencyHistogram()
    private var round: Round?

    /// Whether the next round would be timed: the clock need not be read otherwise.
    var isIdle: Bool { self.round == nil }

    mutating func began(toward end: Position, at time: MonotonicTime) {
        if self.round == nil { self.round = Round(end: end, began: time) }
    }

    mutating func reached(_ position: Position, at time: MonotonicTime) {
        guard let round = self.round, position >= round.end else { return }
        self.round = nil
        self.times.note(nanoseconds: time.nanoseconds - min(time.nanoseconds, round.began.nanoseconds))
    }

    /// What was on its way does not arrive any more.
    mutating func dropped() { self.round = nil }
}
