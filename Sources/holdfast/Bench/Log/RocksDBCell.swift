import Foundation
import Glibc
import LogModel

/// RocksDB's own `db_bench fillseq` with as many threads, for the same time in the same place.
///
/// It takes a number of operations instead of a duration, so a short run finds out how many fill the time. A key takes
/// 16 bytes more than the record; compression is off, which is to its advantage.
struct RocksDBCell: LogBenchCell {
    let fsync: FsyncPolicy
    let clients: Int
    let size: Int
    let batch: Int
    let milliseconds: UInt64
    let scratch: BenchScratch
    /// Operations of each thread, once known.
    private var operationCount = 0

    var work: String { "rocksdb fillseq" }
    var policy: String { self.fsync.name }

    init(fsync: FsyncPolicy, clients: Int, size: Int, batch: Int, milliseconds: UInt64, scratch: BenchScratch) {
        self.fsync = fsync
        self.clients = clients
        self.size = size
        self.batch = batch
        self.milliseconds = milliseconds
        self.scratch = scratch
    }

    /// - Throws: A failure that says what to install.
    static func requireProgram() throws(CommandFailure) -> String {
        for directory in (Environment.all["PATH"] ?? "/usr/bin").split(separator: ":") {
            let path = "\(directory)/db_bench"
            if access(path, X_OK) == 0 { return path }
        }
        throw CommandFailure(
            .unreachable, "--compare rocksdb needs db_bench, which is not on PATH",
            next: "apt-get install -y rocksdb-tools")
    }

    mutating func prepare(in directory: String) async throws {
        let trial = self.fsync == .always ? max(20, 1000 / self.clients) : 100_000 / self.clients
        let run = try await self.run(in: directory, operationCount: trial)
        let goal = run.recordsPerSecond * Double(self.milliseconds) / 1000
        self.operationCount = max(20, Int(goal) / self.clients)
    }

    func run(in directory: String) async throws -> LogBenchRun {
        try await self.run(in: directory, operationCount: self.operationCount)
    }

    private func run(in directory: String, operationCount: Int) async throws -> LogBenchRun {
        let program = try Self.requireProgram()
        let (status, output) = try await self.scratch.run(
            program,
            [
                "--benchmarks=fillseq", "--db=\(directory)/rocksdb", "--sync=\(self.fsync == .always ? 1 : 0)",
                "--threads=\(self.clients)", "--value_size=\(self.size)", "--num=\(operationCount)",
                "--batch_size=\(self.batch)", "--compression_type=none", "--histogram=1",
            ], in: directory)
        guard status == 0, let run = Self.parse(output, size: self.size) else {
            let tail = output.split(separator: "\n").suffix(3).joined(separator: " | ")
            throw CommandFailure(.system, "db_bench ended with \(status): \(tail)", next: "run it without --compare")
        }
        return run
    }

    /// `fillseq      :     198.1 micros/op 5047 ops/sec 1.0 seconds 5000 operations; ..`, then its histogram:
    /// `Min: 117  Median: 355.4  Max: 179531` and `Percentiles: P50: 355.43 P75: 521.81 P99: 46222.22 ..`.
    static func parse(_ output: String, size: Int) -> LogBenchRun? {
        var run: LogBenchRun?
        var latency = LatencySummary(p50: 0, p99: 0, max: 0)
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            func number(before word: Substring) -> Double? {
                words.firstIndex(of: word).flatMap { $0 > 0 ? Double(words[$0 - 1]) : nil }
            }
            func number(after word: Substring) -> Double? {
                words.firstIndex(of: word).flatMap { $0 + 1 < words.count ? Double(words[$0 + 1]) : nil }
            }
            if words.first == "fillseq", let rate = number(before: "ops/sec"),
                let count = number(before: "operations;")
            {
                run = LogBenchRun(
                    recordCount: Int(count), byteCount: Int(count) * size, seconds: rate > 0 ? count / rate : 0)
            } else if words.first == "Min:" {
                latency.max = number(after: "Max:") ?? 0
            } else if words.first == "Percentiles:" {
                latency.p50 = number(after: "P50:") ?? 0
                latency.p99 = number(after: "P99:") ?? 0
            }
        }
        run?.latency = latency
        return run
    }
}
