import Foundation
import Glibc
import NIOCore

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
    var recordsPerSecond: Double
    var latency: LatencyPercentiles
    var failures: Int
    var failure: String?
    /// Processors that the driver kept busy: 1 is all of one.
    var driverCores: Double

    private enum CodingKeys: String, CodingKey {
        case latency, failures, failure
        case recordsPerSecond = "records_per_second"
        case driverCores = "driver_cores"
    }

    init(
        latenciesMicroseconds: [UInt32], batch: Int, seconds: Double, failures: Int, failure: String?,
        usage: LoadClock.Usage
    ) {
        self.recordsPerSecond = Double(latenciesMicroseconds.count * batch) / seconds
        self.latency = LatencyPercentiles(latenciesMicroseconds)
        self.failures = failures
        self.failure = failure
        self.driverCores = usage.wallSeconds > 0 ? usage.processorSeconds / usage.wallSeconds : 0
    }
}

/// Prints a document for the program that started this one.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try FileHandle.standardOutput.write(contentsOf: encoder.encode(value) + Data("\n".utf8))
}
