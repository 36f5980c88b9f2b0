import HoldfastClient

/// What one row is about; the same in each of its runs.
struct ClusterBenchCell: Sendable {
    var work: String
    var clients = 0
    var connections = 0
    /// Requests of each client under way at once.
    var inFlight = 0
    /// Records of each request.
    var batch = 1
    /// Bytes of each record.
    var size: Int?
    var policy: String
}

/// What one run of a row measured; `nil` is what it does not have.
struct ClusterBenchRun: Sendable {
    var recordsPerSecond: Double?
    var bytesPerSecond: Double?
    var wireBytesPerSecond: Double?
    /// Bytes that travelled for each byte of the log.
    var wireShare: Double?
    var latency: LatencySummary?
    /// Milliseconds without an acknowledgement, for each time that the leader went.
    var gaps: [Double] = []
    /// Records per second of each reader.
    var readers: [Double] = []
    var failures = 0
    var usages: [NodeUsage] = []
}

/// One line of results, medians over the runs; the names are the columns of the JSON and stay as they are.
struct ClusterBenchRow: Encodable {
    var cell: ClusterBenchCell
    var recordsPerSecond: Int?
    var bytesPerSecond: Int?
    var wireBytesPerSecond: Int?
    var p50: Double?
    var p99: Double?
    /// The median of the runs' worst ones.
    var max: Double?
    var gaps: [Double]

    private enum CodingKeys: String, CodingKey {
        case work, clients, batch, size, policy
        case inFlight = "in_flight"
        case recordsPerSecond = "records_per_second"
        case bytesPerSecond = "bytes_per_second"
        case wireBytesPerSecond = "wire_bytes_per_second"
        case p50 = "p50_us"
        case p99 = "p99_us"
        case max = "max_us"
        case gapP50 = "gap_p50_ms"
        case gapP90 = "gap_p90_ms"
        case gapMax = "gap_max_ms"
    }

    init(_ cell: ClusterBenchCell, _ runs: [ClusterBenchRun]) {
        self.cell = cell
        self.recordsPerSecond = Self.median(runs.compactMap(\.recordsPerSecond)).map { Int($0) }
        self.bytesPerSecond = Self.median(runs.compactMap(\.bytesPerSecond)).map { Int($0) }
        self.wireBytesPerSecond = Self.median(runs.compactMap(\.wireBytesPerSecond)).map { Int($0) }
        let latencies = runs.compactMap(\.latency)
        self.p50 = Self.median(latencies.map(\.p50))
        self.p99 = Self.median(latencies.map(\.p99))
        self.max = Self.median(latencies.map(\.max))
        self.gaps = runs.flatMap(\.gaps).sorted()
    }

    private static func median(_ values: [Double]) -> Double? { values.isEmpty ? nil : Spread(values).median }

    /// The gap that so many of a hundred do not exceed.
    func gap(percentile: Int) -> Double? {
        guard !self.gaps.isEmpty else { return nil }
        return self.gaps[Swift.max(0, (self.gaps.count * percentile + 99) / 100 - 1)]
    }

    /// All columns in each row, `null` among them; gaps only where the leader went.
    func encode(to encoder: any Encoder) throws {
        var columns = encoder.container(keyedBy: CodingKeys.self)
        try columns.encode(self.cell.work, forKey: .work)
        try columns.encode(self.cell.clients, forKey: .clients)
        try columns.encode(self.cell.inFlight, forKey: .inFlight)
        try columns.encode(self.cell.batch, forKey: .batch)
        try columns.encode(self.cell.size, forKey: .size)
        try columns.encode(self.cell.policy, forKey: .policy)
        try columns.encode(self.recordsPerSecond, forKey: .recordsPerSecond)
        try columns.encode(self.bytesPerSecond, forKey: .bytesPerSecond)
        try columns.encode(self.wireBytesPerSecond, forKey: .wireBytesPerSecond)
        try columns.encode(self.p50, forKey: .p50)
        try columns.encode(self.p99, forKey: .p99)
        try columns.encode(self.max, forKey: .max)
        try columns.encodeIfPresent(self.gap(percentile: 50), forKey: .gapP50)
        try columns.encodeIfPresent(self.gap(percentile: 90), forKey: .gapP90)
        try columns.encodeIfPresent(self.gaps.last, forKey: .gapMax)
    }
}

/// What stands beside each row of the JSON, in the same order: the spread, and what the nodes used.
struct ClusterBenchDetail: Encodable {
    var connections: Int
    var failures: Int
    var recordsPerSecondMin: Int?
    var recordsPerSecondMax: Int?
    var bytesPerSecondMin: Int?
    var bytesPerSecondMax: Int?
    /// Bytes that travelled between nodes for each byte of the log; the median of the runs.
    var wireShare: Double?
    var maxWorst: Double?
    var gaps: [Double]?
    /// Records per second of the slowest and the fastest reader in any run.
    var readerMin: Int?
    var readerMax: Int?
    /// Of each node the most memory in any run, and the CPU time of all runs.
    var nodes: [NodeUsage]

    private enum CodingKeys: String, CodingKey {
        case connections, failures, nodes
        case recordsPerSecondMin = "records_per_second_min"
        case recordsPerSecondMax = "records_per_second_max"
        case bytesPerSecondMin = "bytes_per_second_min"
        case bytesPerSecondMax = "bytes_per_second_max"
        case wireShare = "wire_share"
        case maxWorst = "max_us_worst"
        case gaps = "gaps_ms"
        case readerMin = "reader_records_per_second_min"
        case readerMax = "reader_records_per_second_max"
    }

    init(_ cell: ClusterBenchCell, _ runs: [ClusterBenchRun]) {
        self.connections = cell.connections
        self.failures = runs.reduce(0) { $0 + $1.failures }
        self.recordsPerSecondMin = runs.compactMap(\.recordsPerSecond).min().map { Int($0) }
        self.recordsPerSecondMax = runs.compactMap(\.recordsPerSecond).max().map { Int($0) }
        self.bytesPerSecondMin = runs.compactMap(\.bytesPerSecond).min().map { Int($0) }
        self.bytesPerSecondMax = runs.compactMap(\.bytesPerSecond).max().map { Int($0) }
        let shares = runs.compactMap(\.wireShare)
        self.wireShare = shares.isEmpty ? nil : Spread(shares).median
        self.maxWorst = runs.compactMap { $0.latency?.max }.max()
        let gaps = runs.flatMap(\.gaps)
        self.gaps = gaps.isEmpty ? nil : gaps
        self.readerMin = runs.flatMap(\.readers).min().map { Int($0) }
        self.readerMax = runs.flatMap(\.readers).max().map { Int($0) }
        self.nodes = Dictionary(grouping: runs.flatMap(\.usages), by: \.node).map { node, usages in
            NodeUsage(
                node: node, anonymousByteCountMax: usages.map(\.anonymousByteCountMax).max() ?? 0,
                cpuSeconds: usages.reduce(0) { $0 + $1.cpuSeconds })
        }.sorted { $0.node < $1.node }
    }
}

/// The whole answer.
struct ClusterBenchTable: Encodable {
    var bench: LogBenchCircumstances
    var rows: [ClusterBenchRow]
    var details: [ClusterBenchDetail]

    init(_ bench: LogBenchCircumstances, _ results: [(cell: ClusterBenchCell, runs: [ClusterBenchRun])]) {
        self.bench = bench
        self.rows = results.map { ClusterBenchRow($0.cell, $0.runs) }
        self.details = results.map { ClusterBenchDetail($0.cell, $0.runs) }
    }

    /// Columns that are empty in all rows are left out.
    var text: String {
        let header = [
            "WORK", "CLIENTS", "CONNECTIONS", "IN FLIGHT", "BATCH", "SIZE", "POLICY", "RECORDS/S", "MIN..MAX", "EACH",
            "MIB/S",
            "WIRE MIB/S", "WIRE/LOG", "P50 MS", "P99 MS", "MAX MS", "GAP P50 MS", "GAP P90 MS", "GAP MAX MS",
            "ANON MIB", "CPU S",
        ]
        let lines = zip(self.rows, self.details).map { Self.cells($0, $1) }
        let columns = header.indices.filter { column in lines.contains { $0[column] != "-" } }
        return Console.table(columns.map { header[$0] }, lines.map { line in columns.map { line[$0] } })
    }

    private static func cells(_ row: ClusterBenchRow, _ detail: ClusterBenchDetail) -> [String] {
        let cell = row.cell
        let about = [
            cell.work, self.count(cell.clients), self.count(detail.connections), self.count(cell.inFlight),
            self.count(cell.batch == 1 ? 0 : cell.batch), self.count(cell.size ?? 0), cell.policy,
        ]
        let speed = [
            row.recordsPerSecond.map { "\($0)" } ?? "-", self.spread(detail), self.readers(detail),
            self.mebibytes(row.bytesPerSecond),
            self.mebibytes(row.wireBytesPerSecond), detail.wireShare?.rounded(2) ?? "-", self.milliseconds(row.p50),
            self.milliseconds(row.p99), self.milliseconds(row.max),
        ]
        let gaps = [row.gap(percentile: 50), row.gap(percentile: 90), row.gaps.last].map { $0?.rounded(1) ?? "-" }
        return about + speed + gaps + [
            self.joined(detail.nodes.map { (Double($0.anonymousByteCountMax) / 1_048_576).rounded(0) }),
            self.joined(detail.nodes.map { $0.cpuSeconds.rounded(1) }),
        ]
    }

    private static func count(_ value: Int) -> String { value == 0 ? "-" : "\(value)" }

    /// Of records; of bytes, in MiB/s, where records are not counted.
    private static func spread(_ detail: ClusterBenchDetail) -> String {
        if let low = detail.recordsPerSecondMin, let high = detail.recordsPerSecondMax { return "\(low)..\(high)" }
        guard let low = detail.bytesPerSecondMin, let high = detail.bytesPerSecondMax else { return "-" }
        return "\(self.mebibytes(low))..\(self.mebibytes(high))"
    }

    private static func readers(_ detail: ClusterBenchDetail) -> String {
        guard let low = detail.readerMin, let high = detail.readerMax else { return "-" }
        return "\(low)..\(high)"
    }

    private static func mebibytes(_ byteCount: Int?) -> String {
        byteCount.map { (Double($0) / 1_048_576).rounded(1) } ?? "-"
    }

    private static func milliseconds(_ microseconds: Double?) -> String {
        microseconds.map { ($0 / 1000).rounded(2) } ?? "-"
    }

    /// Of each node, in order.
    private static func joined(_ values: [String]) -> String { values.isEmpty ? "-" : values.joined(separator: "/") }
}
