import ArgumentParser
import HoldfastClient
import HoldfastNode
import LogModel
import SegmentLog

struct BenchLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Measures the log of one process, without a cluster.",
        discussion: "Example: holdfast bench log append --policy always,os",
        subcommands: [
            BenchLogAppendCommand.self, BenchLogRotateCommand.self, BenchLogReadCommand.self,
            BenchLogRecoverCommand.self, BenchLogGrowthCommand.self, BenchLogChildCommand.self,
        ])
}

/// What all of them take.
struct BenchLogOptions: ParsableArguments {
    @Option(help: "Bytes of each record. (default: 100)", transform: SizeArgument.parse)
    var size = SizeArgument(byteCount: 100)

    @Option(help: "Records of each append.")
    var batch = 1

    @Option(help: "How often each row is measured; the rows take turns.")
    var runs = 5

    @Option(
        help: "An existing directory on the disk to be measured; a temporary one is made in it and removed.",
        completion: .directory)
    var dir = "."

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...(16 << 20)).contains(self.size.byteCount) else {
            throw ValidationError("--size must be from 1 to 16777216.")
        }
        guard (1...65_535).contains(self.batch) else { throw ValidationError("--batch must be from 1 to 65535.") }
        guard (1...1000).contains(self.runs) else { throw ValidationError("--runs must be from 1 to 1000.") }
        guard Int(self.size.byteCount + 16) * self.batch < 16 << 20 else {
            throw ValidationError("--size times --batch must fit into a frame of 16 MiB.")
        }
    }

    /// - Throws: `ValidationError` when a batch does not fit into a segment, whose header and checkpoint take some of it.
    func validate(segmentSize: SizeArgument) throws {
        let byteCount = (self.size.byteCount + 16) * UInt64(self.batch) + UInt64(Self.segmentOverheadByteCount)
        guard byteCount <= segmentSize.byteCount else {
            throw ValidationError("--size times --batch must fit into a segment: see --segment-size.")
        }
    }

    private static let segmentOverheadByteCount = 4096

    /// Measures the cells and prints the table.
    func measure(
        _ cells: [any LogBenchCell], scratch: BenchScratch, settings: LogBenchSettings
    ) async throws {
        let console = self.output.console
        var rounds = LogBenchRounds(cells: cells, runs: self.runs, scratch: scratch, console: console)
        let results = try await rounds.run()
        let table = LogBenchTable(
            bench: LogBenchCircumstances(directory: Files.absolute(self.dir), runs: self.runs, settings: settings),
            rows: zip(cells, results).map { LogBenchRow($0, $1) }, details: results.map { LogBenchDetail($0) })
        switch self.output.output {
        case .table:
            console.note(table.bench.text)
            console.out(table.text)
        case .json: console.out(bytes: JSONDocument.encode(table))
        }
    }

    /// Runs `body` with a scratch directory that is gone afterwards.
    func withScratch(_ body: (BenchScratch) async throws -> Void) async throws {
        #if DEBUG
            self.output.console.note("this is a debug build: its figures mean nothing; swift build -c release")
        #endif
        let scratch = try BenchScratch(in: self.dir)
        let interruption = Interruption { scratch.end() }
        defer {
            interruption.end()
            scratch.end()
        }
        do {
            try await body(scratch)
        } catch {
            // It was interrupted: whoever removes everything has the last word.
            if scratch.isEnding { try await Task.sleep(for: .seconds(10)) }
            guard let refusal = error as? LogError else { throw error }
            throw CommandFailure(
                .system, "the log refused: \(refusal)", next: "see the space and the rights in \(self.dir)")
        }
    }
}

struct BenchLogAppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Appends one batch at a time from each client.",
        discussion: """
            Rows are medians over the runs; MAX is the median of the runs' worst appends. A bare loop runs \
            beside them: it writes, and under always syncs, the same bytes, one frame after the other.

            Example: holdfast bench log append --clients 1,16 --compare rocksdb
            """)

    @Option(help: "always, batch (5 ms), batch:10ms and os, separated by commas.")
    var policy = "always,os"

    @Option(help: "Clients that append at once; several numbers, separated by commas, give several rows.")
    var clients = "1,16,256"

    @Option(help: "How long each run takes. (default: 2s)", transform: DurationArgument.parse)
    var duration = DurationArgument(milliseconds: 2000)

    @Option(help: "Bytes of a segment file. (default: 128MiB)", transform: SizeArgument.parse)
    var segmentSize = SizeArgument(byteCount: 128 << 20)

    @Option(help: "Which appends are timed: sampled (all under always, otherwise one of 64) or all.")
    var latency = LatencyMode.sampled

    @Option(help: "Runs another store beside it: rocksdb (db_bench fillseq).")
    var compare: ComparedStore?

    @OptionGroup var options: BenchLogOptions

    enum ComparedStore: String, ExpressibleByArgument, CaseIterable {
        case rocksdb
    }

    private var policies: [FsyncPolicy] {
        self.policy.commaSeparated.compactMap { FsyncPolicy(named: String($0)) }
    }
    private var clientCounts: [Int] { self.clients.commaSeparated.compactMap { Int($0) } }

    func validate() throws {
        guard !self.policies.isEmpty, self.policies.count == self.policy.commaSeparated.count else {
            throw ValidationError("--policy must be always, batch, batch:10ms (1ms to 60s) or os, separated by commas.")
        }
        let counts = self.clientCounts
        guard !counts.isEmpty, counts.count == self.clients.commaSeparated.count,
            counts.allSatisfy({ (1...10_000).contains($0) })
        else { throw ValidationError("--clients must be numbers from 1 to 10000, separated by commas.") }
        guard self.duration.milliseconds > 0 else { throw ValidationError("--duration must be above 0.") }
        guard (1 << 20..<4 << 30).contains(self.segmentSize.byteCount) else {
            throw ValidationError("--segment-size must be from 1MiB to below 4GiB.")
        }
        try self.options.validate(segmentSize: self.segmentSize)
    }

    func run() async throws {
        if self.compare == .rocksdb { _ = try RocksDBCell.requireProgram() }
        try await self.options.withScratch { scratch in
            try await self.options.measure(self.cells(scratch), scratch: scratch, settings: self.settings)
        }
    }

    private func cells(_ scratch: BenchScratch) -> [any LogBenchCell] {
        let size = Int(self.options.size.byteCount)
        let milliseconds = self.duration.milliseconds
        let settings = LogAppendCell.Settings(
            size: size, batch: self.options.batch, milliseconds: milliseconds,
            segmentByteCount: Int(self.segmentSize.byteCount), latency: self.latency)
        var cells: [any LogBenchCell] = []
        for policy in self.policies {
            cells.append(
                BareLoopCell(fsync: policy, size: size, batch: self.options.batch, milliseconds: milliseconds))
            for clients in self.clientCounts {
                cells.append(LogAppendCell(fsync: policy, clients: clients, settings: settings))
                if self.compare == .rocksdb {
                    cells.append(
                        RocksDBCell(
                            fsync: policy, clients: clients, size: size, batch: self.options.batch,
                            milliseconds: milliseconds, scratch: scratch))
                }
            }
        }
        return cells
    }

    private var settings: LogBenchSettings {
        LogBenchSettings(
            batch: self.options.batch, duration: self.duration, segmentSize: self.segmentSize, latency: self.latency)
    }
}

extension LatencyMode: ExpressibleByArgument {}
