import Glibc
import Histogram

/// Nanoseconds of a clock that never goes back.
enum MonotonicClock {
    @inline(__always)
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(bitPattern: Int64(time.tv_sec)) &* 1_000_000_000 &+ UInt64(bitPattern: Int64(time.tv_nsec))
    }
}

/// Latencies of one client: percentiles within 1 %, the largest one exact. 14 KiB, whatever is recorded.
struct LatencyRecorder: Sendable {
    /// Longer ones count as this long, but for ``max``.
    private static let highest: UInt64 = 60_000_000_000

    private var histogram = Histogram<UInt32>(
        lowestDiscernibleValue: 1, highestTrackableValue: Self.highest, numberOfSignificantValueDigits: .two)
    private(set) var count = 0
    private(set) var max: UInt64 = 0

    @inline(__always)
    mutating func record(_ nanoseconds: UInt64) {
        self.histogram.record(min(nanoseconds, Self.highest))
        self.count += 1
        if nanoseconds > self.max { self.max = nanoseconds }
    }

    mutating func add(_ other: LatencyRecorder) {
        self.histogram.add(other.histogram)
        self.count += other.count
        self.max = Swift.max(self.max, other.max)
    }

    /// `nil` when nothing was recorded.
    var summary: LatencySummary? {
        guard self.count > 0 else { return nil }
        return LatencySummary(
            p50: Double(self.histogram.valueAtPercentile(50)) / 1000,
            p99: Double(Swift.min(self.histogram.valueAtPercentile(99), self.max)) / 1000,
            max: Double(self.max) / 1000)
    }

    /// Microseconds that so many of a hundred do not exceed; `nil` when nothing was recorded.
    func percentile(_ percent: Double) -> Double? {
        guard self.count > 0 else { return nil }
        return Double(Swift.min(self.histogram.valueAtPercentile(percent), self.max)) / 1000
    }
}

/// Microseconds.
struct LatencySummary: Sendable {
    var p50: Double
    var p99: Double
    var max: Double
}
