import NIOCore

/// A part of one core's time: work may begin while some is left, and what it took is earned again before more begins.
struct ProcessorShare {
    /// What an idle time saves up, at most.
    private static let nanosecondsMax: Int64 = 20_000_000
    /// Of one core: 1...100.
    let percent: Int64
    /// Below zero while more was spent than earned.
    private var nanoseconds = ProcessorShare.nanosecondsMax
    private var earnedAt: NIODeadline?

    init(percent: Int64) { self.percent = percent }

    mutating func isLeft(at now: NIODeadline) -> Bool {
        // No more time than fills it, so that the product stays small.
        let elapsed = self.earnedAt.map { min((now - $0).nanoseconds, 3_600_000_000_000) } ?? 0
        self.earnedAt = now
        self.nanoseconds = min(self.nanoseconds + elapsed * self.percent / 100, Self.nanosecondsMax)
        return self.nanoseconds > 0
    }

    mutating func spend(_ nanoseconds: Int64) { self.nanoseconds -= nanoseconds }
}
