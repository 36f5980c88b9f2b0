import HoldfastClient

/// One line of results, medians over the runs; the names are the columns of the JSON and stay as they are.
struct LogBenchRow: Encodable {
    var work: String
    var policy: String
    var clients: Int
    var size: Int
    var recordsPerSecond: Int
    var bytesPerSecond: Int
    /// Of latencies, `nil` where none was timed.
    var p50: Double?
    var p99: Double?
    /// The median of the runs' worst ones.
    var max: Double?

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
        let latencies = runs.compactMap(\.latency)
        guard !latencies.isEmpty else { return }
        self.p50 = Spread(latencies.map(\.p50)).median
        self.p99 = Spread(latencies.map(\.p99)).median
        self.max = Spread(latencies.map(\.max)).median
    }

    /// All columns in each row, `null` among them.
    func encode(to encoder: any Encoder) throws {
        var columns = encoder.container(keyedBy: CodingKeys.self)
        try columns.encode(self.work, forKey: .work)
        try columns.encode(self.policy, forKey: .policy)
        try columns.encode(self.clients, forKey: .clients)
        try columns.encode(self.size, forKey: .size)
        try columns.encode(self.recordsPerSecond, forKey: .recordsPerSecond)
        try columns.encode(self.bytesPerSecond, forKey: .bytesPerSecond)
        try columns.encode(self.p50, forKey: .p50)
        try columns.encode(self.p99, forKey: .p99)
        try columns.encode(self.max, forKey: .max)
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
    var maxWorst: Double?
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
        self.maxWorst = runs.compactMap { $0.latency?.max }.max()
        self.anonymousByteCountMax = runs.compactMap(\.anonymousByteCountMax).max()
        self.rotations = runs.compactMap(\.rotationCount).max().map { _ in
            Int(Spread(runs.compactMap(\.rotationCount).map(Double.init)).median)
        }
        self.segments = runs.compactMap(\.segmentCount).max()
    }
}

/// The whole answer.
struct LogBenchTable: Encodable {
    var bench: LogBenchCircumstances
    var rows: [LogBenchRow]
    var details: [LogBenchDetail]

    /// Medians, `min..max` behind what is judged, and ratios to what ran beside it.
    var text: String {
        let hasRocksDB = self.rows.contains { $0.work.hasPrefix("rocksdb") }
        let hasBareLoop = self.rows.contains { $0.work.hasPrefix(BareLoopCell.workPrefix) }
        var header = [
            "WORK", "POLICY", "CLIENTS", "SIZE", "RECORDS/S", "MIN..MAX", "MIB/S", "P50 US", "P99 US", "MAX US",
        ]
        if hasBareLoop { header.append("X BARE") }
        if self.details.contains(where: { $0.rotations != nil }) { header.append("ROTATIONS") }
        if self.details.contains(where: { $0.segments != nil }) { header += ["SEGMENTS", "ANON MIB"] }
        if hasRocksDB { header.append("X ROCKSDB") }
        let lines = zip(self.rows, self.details).map { row, detail in
            var line = [
                row.work, row.policy, "\(row.clients)", "\(row.size)", "\(row.recordsPerSecond)",
                "\(detail.recordsPerSecondMin)..\(detail.recordsPerSecondMax)",
                (Double(row.bytesPerSecond) / 1_048_576).rounded(1), row.p50?.rounded(1) ?? "-",
                row.p99?.rounded(1) ?? "-", row.max?.rounded(0) ?? "-",
            ]
            if hasBareLoop {
                line.append(self.ratio(row) { $0.work.hasPrefix(BareLoopCell.workPrefix) && $0.policy == row.policy })
            }
            if let rotations = detail.rotations { line.append("\(rotations)") }
            if let segments = detail.segments {
                let anonymous = detail.anonymousByteCountMax.map { (Double($0) / 1_048_576).rounded(1) }
                line += ["\(segments)", anonymous ?? "-"]
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
        guard !row.work.hasPrefix(BareLoopCell.workPrefix), let other = self.rows.first(where: isOther),
            other.work != row.work,
            other.recordsPerSecond > 0
        else {
            return "-"
        }
        return (Double(row.recordsPerSecond) / Double(other.recordsPerSecond)).rounded(2)
    }
}
