/// How long nothing was acknowledged: between two acknowledgements, and from the beginning of a load to its end.
///
///     began ... first . second ........... third .... ended
///                              |-between-|
///           |---------------- longest -----------------|
///
/// Why two figures: how long a failover took is told by the acknowledgements around it, and what a load takes to connect is no
/// part of it. Whether a cluster was ever silent for too long is told by all of the time: no acknowledgement ends the gap of one
/// that falls silent for good.
package struct AcknowledgementGaps: Sendable {
    private var first: UInt64?
    private var last: UInt64?
    /// The longest time between two acknowledgements, in nanoseconds; 0 when there were fewer.
    package private(set) var between: UInt64 = 0

    package init() {}

    /// - Parameter time: Nanoseconds of a monotonic clock. One that is earlier than another that was told before, as threads may
    ///   tell it, ends no gap.
    package mutating func acknowledged(at time: UInt64) {
        let last = self.last ?? time
        self.between = max(self.between, time - min(last, time))
        self.first = min(self.first ?? time, time)
        self.last = max(last, time)
    }

    /// - Parameters:
    ///   - began: No later than the first acknowledgement.
    ///   - ended: No earlier than the last one, by the same clock.
    /// - Returns: The longest time without any, in nanoseconds; all of it when there was none.
    package func longest(from began: UInt64, through ended: UInt64) -> UInt64 {
        guard let first, let last else { return ended - min(began, ended) }
        return max(self.between, first - min(began, first), ended - min(last, ended))
    }
}
