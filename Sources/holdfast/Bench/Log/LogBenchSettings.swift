import Foundation
import Glibc
import HoldfastNode

/// What was asked for; the names are those of the JSON and stay as they are. What a command does not have is not there.
struct LogBenchSettings: Encodable {
    /// Records of each append.
    var batch: Int?
    var duration: String?
    var segmentByteCount: UInt64?
    var latency: String?
    /// Appends per second; 0 is as fast as it goes.
    var rate: UInt64?
    var logByteCount: UInt64?
    var cache: String?

    private enum CodingKeys: String, CodingKey {
        case batch, duration, latency, rate, cache
        case segmentByteCount = "segment_size"
        case logByteCount = "log_size"
    }

    init(
        batch: Int? = nil, duration: DurationArgument? = nil, segmentSize: SizeArgument? = nil,
        latency: LatencyMode? = nil, rate: UInt64? = nil, logSize: SizeArgument? = nil, cache: String? = nil
    ) {
        self.batch = batch
        self.duration = duration?.description
        self.segmentByteCount = segmentSize?.byteCount
        self.latency = latency?.rawValue
        self.rate = rate
        self.logByteCount = logSize?.byteCount
        self.cache = cache
    }

    /// For people.
    var text: String {
        [
            self.batch.map { "batch \($0)" }, self.duration.map { "duration \($0)" },
            self.rate.map { $0 == 0 ? "as fast as it goes" : "\($0) appends/s" },
            self.logByteCount.map { "log size \(Units.described(byteCount: $0))" },
            self.segmentByteCount.map { "segment size \(Units.described(byteCount: $0))" },
            self.latency.map { "latency \($0)" }, self.cache.map { "cache \($0)" },
        ].compactMap { $0 }.joined(separator: ", ")
    }
}

/// Where and how it was measured.
struct LogBenchCircumstances: Encodable {
    var machine: String
    var directory: String
    var runs: Int
    var settings: LogBenchSettings

    init(directory: String, runs: Int, settings: LogBenchSettings) {
        var name = utsname()
        uname(&name)
        let kernel = withUnsafeBytes(of: &name.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let model =
            (Files.text("/proc/cpuinfo") ?? "").split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":").last }.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
        self.machine =
            "\(ProcessInfo.processInfo.activeProcessorCount) x \(model), Linux \(kernel), \(Self.fileSystem(directory))"
        self.directory = directory
        self.runs = runs
        self.settings = settings
    }

    /// The type of the mount that holds `path`.
    private static func fileSystem(_ path: String) -> String {
        let mounts = (Files.text("/proc/self/mounts") ?? "").split(separator: "\n").map { $0.split(separator: " ") }
        let holding = mounts.filter { mount in
            mount.count > 2 && (mount[1] == "/" || path == mount[1] || path.hasPrefix(mount[1] + "/"))
        }
        return holding.max { $0[1].count < $1[1].count }.map { String($0[2]) } ?? "unknown file system"
    }

    /// One line of prose.
    var text: String {
        [self.machine, "\(self.runs.counted("run")) in turn", self.settings.text].filter { !$0.isEmpty }
            .joined(separator: "; ")
    }
}
