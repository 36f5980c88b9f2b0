import LogModel

/// What a peer may send for streams that are gone before it is a flood.
///
/// When this side gives a stream up, its peer may have filled the stream's window before it hears of that, and has done
/// no wrong. So DATA is paid from the windows that stood open then, and whatever else comes, or comes behind that,
/// from a rate.
package struct ClosedStreamBudget: Hashable, Sendable {
    private var rate: RateBudget
    /// Bytes that may still be on their way.
    private var inFlightByteCount = 0
    private let inFlightByteCountMax: Int

    /// - Parameters:
    ///   - rate: Frames, of any kind and length.
    ///   - inFlightByteCountMax: No more than this can be on its way: the connection's window.
    package init(rate: RateBudget, inFlightByteCountMax: Int) {
        self.rate = rate
        self.inFlightByteCountMax = inFlightByteCountMax
    }

    /// A stream was given up while its peer was still allowed to send `byteCount` bytes on it.
    package mutating func grant(byteCount: Int) {
        let (sum, overflow) = self.inFlightByteCount.addingReportingOverflow(max(0, byteCount))
        self.inFlightByteCount = overflow ? self.inFlightByteCountMax : min(sum, self.inFlightByteCountMax)
    }

    /// For HEADERS, of which no window says how many may be on their way.
    ///
    /// - Returns: `false` when the budget is used up.
    package mutating func spendHead(now: MonotonicTime) -> Bool { self.rate.spend(now: now) }

    /// - Returns: `false` when the budget is used up.
    package mutating func spend(_ frames: FrameTally, now: MonotonicTime) -> Bool {
        var count = frames.otherCount + frames.dataCount
        if frames.dataCount > 0 {
            // By their mean: it is not known which of them were sent first.
            let mean = max(1, frames.dataByteCount / frames.dataCount)
            let paid = min(frames.dataCount, self.inFlightByteCount / mean)
            self.inFlightByteCount -= paid * mean
            count -= paid
        }
        return count == 0 || self.rate.spend(UInt64(count), now: now)
    }
}
