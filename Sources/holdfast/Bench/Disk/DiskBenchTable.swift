import HoldfastClient

/// One line of results, medians over the runs; the names are the columns of the JSON and stay as they are.
struct DiskBenchRow: Encodable {
    var work: String
    var space: DiskBenchCell.Space
    var size: Int
    var writesPerSecond: Int
    var bytesPerSecond: Int
    var p50: Double?
    var p99: Double?
    /// The worst of all runs.
    var max: Double?

    private enum CodingKeys: String, CodingKey {
        case work, space, size
        case writesPerSecond = "writes_per_second"
        case bytesPerSecond = "bytes_per_second"
        case p50 = "p50_us"
        case p99 = "p99_us"
        case max = "max_us"
    }

    init(_ cell: DiskBenchCell, _ runs: [DiskBenchCell.Run]) {
        self.work = cell.work.rawValue
        self.space = cell.space
        self.size = cell.size
        self.writesPerSecond = Int(Spread(runs.map { Double($0.latencies.count) / $0.seconds }).median)
        self.bytesPerSecond = Int(Spread(runs.map { Double($0.byteCount) / $0.seconds }).median)
        self.p50 = Spread(runs.compactMap { $0.latencies.percentile(50) }).median
        self.p99 = Spread(runs.compactMap { $0.latencies.percentile(99) }).median
        self.max = runs.map { Double($0.latencies.max) / 1000 }.max()
    }

    fileprivate var cells: [String] {
        [
            self.work, self.space.rawValue, "\(self.size)", "\(self.writesPerSecond)",
            (Double(self.bytesPerSecond) / 1_048_576).rounded(1),
        ] + [self.p50, self.p99, self.max].map { $0.map { ($0 / 1000).rounded(3) } ?? "-" }
    }
}

/// The whole answer.
struct DiskBenchTable: Encodable {
    var bench: LogBenchCircumstances
    var rows: [DiskBenchRow]

    var text: String {
        Console.table(
            ["WORK", "SPACE", "SIZE", "WRITES/S", "MIB/S", "P50 MS", "P99 MS", "MAX MS"], self.rows.map(\.cells))
    }
}
