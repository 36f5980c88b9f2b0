import Foundation
import Glibc
import HoldfastClient
import HoldfastNode

/// One line of results, medians over the runs; the names are the columns of the JSON and stay as they are.
struct LogBenchRow: Encodable {
    var work: String
    var policy: String
    var clients: Int
    var size: Int
    var recordsPerSecond: Int
    var bytesPerSecond: Int
    var p50: Double
    var p99: Double
    /// The median of the runs' worst ones.
    var max: Double

    private enum CodingKeys: String, CodingKey {
        case work, policy, clients, size
        case recordsPerSecond = "records_per_second"
        case bytesPerSecond = "bytes_per_second"
        case p50 = "p50_us"
        case p99 = "p99_us"
        case max = "max_us"
    }

    init(_ cell: any LogBenchCell, _ runs: [LogBenchRun]) {
        self.work = cell.work
        self.policy = cell.policy
        self.clients = cell.clients
        self.size = cell.size
        self.recordsPerSecond = Int(Spread(runs.map(\.recordsPerSecond)).median)
        self.bytesPerSecond = Int(Spread(runs.map(\.bytesPerSecond)).median)
        self.p50 = Spread(runs.compactMap { $0.latency?.p50 }).median
        self.p99 = Spread(runs.compactMap { $0.latency?.p99 }).median
        self.max = Spread(runs.compactMap { $0.latency?.max }).median
    }
}

/// The middle and the ends of what several runs measured.
struct Spread {
    var median: Double
    var min: Double
    var max: Double

    init(_ values: [Double]) {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        self.median =
            sorted.isEmpty
            ? 0 : sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        self.min = sorted.first ?? 0
        self.max = sorted.last ?? 0
    }
}

/// What stands beside each row of the JSON, in the same order: the spread, and what only some rows have.
struct LogBenchDetail: Encodable {
    var recordsPerSecondMin: Int
    var recordsPerSecondMax: Int
    var maxWorst: Double
    var anonymousByteCountMax: Int?
    var rotations: Int?
    var segments: Int?

    private enum CodingKeys: String, CodingKey {
        case recordsPerSecondMin = "records_per_second_min"
        case recordsPerSecondMax = "records_per_second_max"
        case maxWorst = "max_us_worst"
        case anonymousByteCountMax = "anonymous_bytes_max"
        case rotations, segments
    }

    init(_ runs: [LogBenchRun]) {
        let spread = Spread(runs.map(\.recordsPerSecond))
        self.recordsPerSecondMin = Int(spread.min)
        self.recordsPerSecondMax = Int(spread.max)
        self.maxWorst = Spread(runs.compactMap { $0.latency?.max }).max
        self.anonymousByteCountMax = runs.compactMap(\.anonymousByteCountMax).max()
        self.rotations = runs.compactMap(\.rotationCount).max().map { _ in
            Int(Spread(runs.compactMap(\.rotationCount).map(Double.init)).median)
        }
        self.segments = runs.compactMap(\.segmentCount).max()
    }
}

/// Where and how it was measured.
struct LogBenchSettings: Encodable {
    var machine: String
    var directory: String
    var runs: Int
    var settings: [String: String]

    init(directory: String, runs: Int, settings: [String: String]) {
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
        let settings = self.settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return "\(self.machine); \(self.runs) runs in turn; " + settings.joined(separator: ", ")
    }
}

/// The whole answer.
struct LogBenchTable: Encodable {
    var bench: LogBenchSettings
    var rows: [LogBenchRow]
    var details: [LogBenchDetail]

    /// Medians, `min..max` behind what is judged, and ratios to what ran beside it.
    var text: String {
        let hasRocksDB = self.rows.contains { $0.work.hasPrefix("rocksdb") }
        let hasFloor = self.rows.contains { $0.work.hasPrefix("floor") }
        var header = [
            "WORK", "POLICY", "CLIENTS", "SIZE", "RECORDS/S", "MIN..MAX", "MIB/S", "P50 US", "P99 US", "MAX US",
        ]
        if hasFloor { header.append("X FLOOR") }
        if self.details.contains(where: { $0.rotations != nil }) { header.append("ROTATIONS") }
        if self.details.contains(where: { $0.segments != nil }) { header += ["SEGMENTS", "ANON MIB"] }
        if hasRocksDB { header.append("X ROCKSDB") }
        let lines = zip(self.rows, self.details).map { row, detail in
            var line = [
                row.work, row.policy, "\(row.clients)", "\(row.size)", "\(row.recordsPerSecond)",
                "\(detail.recordsPerSecondMin)..\(detail.recordsPerSecondMax)",
                (Double(row.bytesPerSecond) / 1_048_576).rounded(1), row.p50.rounded(1), row.p99.rounded(1),
                row.max.rounded(0),
            ]
            if hasFloor { line.append(self.ratio(row) { $0.work.hasPrefix("floor") && $0.policy == row.policy }) }
            if let rotations = detail.rotations { line.append("\(rotations)") }
            if let segments = detail.segments {
                line += ["\(segments)", (Double(detail.anonymousByteCountMax ?? 0) / 1_048_576).rounded(1)]
            }
            if hasRocksDB {
                line.append(
                    self.ratio(row) {
                        $0.work.hasPrefix("rocksdb") && $0.policy == row.policy && $0.clients == row.clients
                    })
            }
            return line
        }
        return Console.table(header, lines)
    }

    private func ratio(_ row: LogBenchRow, to isOther: (LogBenchRow) -> Bool) -> String {
        guard !row.work.hasPrefix("floor"), let other = self.rows.first(where: isOther), other.work != row.work,
            other.recordsPerSecond > 0
        else {
            return "-"
        }
        return (Double(row.recordsPerSecond) / Double(other.recordsPerSecond)).rounded(2)
    }
}
