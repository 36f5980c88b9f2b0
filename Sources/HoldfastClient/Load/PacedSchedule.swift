/// When each append of a load at a rate is due: evenly spread over its time, whatever the answers do.
///
/// Callers take turns: append `n` is due `n / rate` seconds after the beginning, and belongs to caller `n % callers`. One
/// that waits for an answer meanwhile is late, and its lateness is part of what is measured.
package struct PacedSchedule: Hashable, Sendable {
    /// Appends per second, of all callers together.
    package var rate: UInt64
    package var callers: UInt64
    /// Appends in all.
    package var count: UInt64

    /// - Parameters:
    ///   - rate: 1 ... 1,000,000.
    ///   - milliseconds: At most a day.
    package init(rate: UInt64, callers: Int, milliseconds: UInt64) {
        self.rate = rate
        self.callers = UInt64(callers)
        self.count = rate * milliseconds / 1000
    }

    /// Nanoseconds from the beginning to a caller's append number `turn`, counted from 0; `nil` when it has no such one.
    package func due(_ turn: UInt64, of caller: Int) -> UInt64? {
        let number = turn * self.callers + UInt64(caller)
        guard number < self.count else { return nil }
        // In two parts: the product of a long run's number and a second does not fit.
        return number / self.rate * 1_000_000_000 + number % self.rate * 1_000_000_000 / self.rate
    }
}
