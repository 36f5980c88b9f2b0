import Foundation
import Glibc
import HoldfastClient
import NIOCore
import Synchronization

/// How much of a processor this process took since the clock was made.
struct LoadClock {
    struct Usage {
        var wallSeconds: Double
        var processorSeconds: Double
    }

    private let began = NIODeadline.now()
    private let processorBegan = Self.processorSeconds

    var usage: Usage {
        Usage(
            wallSeconds: Double((NIODeadline.now() - self.began).nanoseconds) / 1e9,
            processorSeconds: Self.processorSeconds - self.processorBegan)
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// What this process used within a load's window; says on stderr when it begins and ends, so that the program that started this
/// one can look at the servers then. A load that is over ends it, if nothing has: the last answer may come in the same turn of the
/// event loop as the window's end.
///
///     measuring
///     measured
final class WindowMeter: Sendable {
    private enum State {
        case before
        case within(LoadClock)
        case behind(LoadClock.Usage)
    }

    private let state = Mutex(State.before)

    func reached(_ edge: LoadWindow.Edge) {
        let line = self.state.withLock { state -> String? in
            switch (edge, state) {
            case (.begin, .before):
                state = .within(LoadClock())
                return "measuring"
            case (.end, .within(let clock)):
                state = .behind(clock.usage)
                return "measured"
            case (.begin, _), (.end, _): return nil
            }
        }
        if let line { FileHandle.standardError.write(Data("\(line)\n".utf8)) }
    }

    /// Processors that were kept busy, 1 is all of one; 0 before the window's end.
    var cores: Double {
        guard case .behind(let usage) = self.state.withLock({ $0 }), usage.wallSeconds > 0 else { return 0 }
        return usage.processorSeconds / usage.wallSeconds
    }
}

/// Percentiles in microseconds; all zero when nothing was measured.
struct LatencyPercentiles: Encodable {
    var p50: UInt32
    var p90: UInt32
    var p99: UInt32
    var p999: UInt32
    var max: UInt32

    private enum CodingKeys: String, CodingKey {
        case p50 = "p50_us"
        case p90 = "p90_us"
        case p99 = "p99_us"
        case p999 = "p999_us"
        case max = "max_us"
    }

    init(_ microseconds: [UInt32]) {
        let sorted = microseconds.sorted()
        /// The one that so many of a thousand do not exceed.
        func percentile(_ thousandths: Int) -> UInt32 {
            sorted.isEmpty ? 0 : sorted[Swift.max(0, (sorted.count * thousandths + 999) / 1_000 - 1)]
        }
        self.p50 = percentile(500)
        self.p90 = percentile(900)
        self.p99 = percentile(990)
        self.p999 = percentile(999)
        self.max = sorted.last ?? 0
    }
}

/// What one run of a load found; its JSON is what `scripts/bench` reads.
struct LoadReport: Encodable, Sendable {
    /// Of what was acknowledged within the window, which a load that has all its records ends with the last of them.
    var recordsPerSecond: Double
    /// Of what was sent within the window, and acknowledged at all.
    var latency: LatencyPercentiles
    /// Records that were acknowledged at any time; `nil` of sessions.
    var acknowledged: Int?
    /// Appends that were refused, lost, or not answered in time; with one of them, the figures above tell nothing.
    var failures: Int
    var failure: String?
    /// Processors that the driver kept busy within the window: 1 is all of one.
    var driverCores: Double

    private enum CodingKeys: String, CodingKey {
        case latency, acknowledged, failures, failure
        case recordsPerSecond = "records_per_second"
        case driverCores = "driver_cores"
    }
}

/// Prints a document for the program that started this one.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try FileHandle.standardOutput.write(contentsOf: encoder.encode(value) + Data("\n".utf8))
}
