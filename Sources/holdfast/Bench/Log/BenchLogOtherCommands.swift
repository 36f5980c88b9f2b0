import ArgumentParser
import HoldfastNode
import LogModel

struct BenchLogRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Times every append while segments fill, beside a control without rotation.",
        discussion: """
            MAX is the median of the runs' worst appends; every append is timed.

            Example: holdfast bench log rotate --rate 100k
            """)

    @Option(help: "always, batch (5 ms), batch:10ms or os.")
    var policy = "os"

    @Option(help: "How long each run takes. (default: 2s)", transform: DurationArgument.parse)
    var duration = DurationArgument(milliseconds: 2000)

    @Option(
        help: "Bytes of a segment file; the control has one of 2 GiB. (default: 2MiB)", transform: SizeArgument.parse)
    var segmentSize = SizeArgument(byteCount: 2 << 20)

    @Option(parsing: .unconditional, help: "Appends per second, for example 200k; 0 is as fast as it goes.")
    var rate = "200k"

    @OptionGroup var options: BenchLogOptions

    func validate() throws {
        guard FsyncPolicy(named: self.policy) != nil else {
            throw ValidationError("--policy must be always, batch, batch:10ms (1ms to 60s) or os.")
        }
        guard Units.count(self.rate) != nil else { throw ValidationError("--rate must be a number like 200k.") }
        guard (1 << 20..<1 << 30).contains(self.segmentSize.byteCount) else {
            throw ValidationError("--segment-size must be from 1MiB to below 1GiB.")
        }
        try self.options.validate(segmentSize: self.segmentSize)
    }

    func run() async throws {
        guard let fsync = FsyncPolicy(named: self.policy), let rate = Units.count(self.rate) else { return }
        let parts: [LogRotateCell.Part] = [.all, .rotating, .control]
        let cells = parts.map { part in
            LogRotateCell(
                part: part, fsync: fsync, size: Int(self.options.size.byteCount), batch: self.options.batch,
                milliseconds: self.duration.milliseconds, segmentByteCount: Int(self.segmentSize.byteCount),
                rate: rate == 0 ? nil : Int(rate))
        }
        try await self.options.withScratch { scratch in
            try await self.options.measure(
                cells, scratch: scratch,
                settings: LogBenchSettings(
                    batch: self.options.batch, duration: self.duration, segmentSize: self.segmentSize, rate: rate))
        }
    }
}

struct BenchLogReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Reads a log from its first record to its last, decoded and verified.",
        discussion: """
            One log is made for all runs; what was written just before is read from the page cache.

            Example: holdfast bench log read --clients 1,2 --log-size 1GiB
            """)

    @Option(help: "Readers at once; several numbers, separated by commas, give several rows.")
    var clients = "1,2"

    @Option(help: "Bytes of the log's frames. (default: 256MiB)", transform: SizeArgument.parse)
    var logSize = SizeArgument(byteCount: 256 << 20)

    @OptionGroup var options: BenchLogOptions

    private var readerCounts: [Int] { self.clients.commaSeparated.compactMap { Int($0) } }

    func validate() throws {
        let counts = self.readerCounts
        guard !counts.isEmpty, counts.count == self.clients.commaSeparated.count,
            counts.allSatisfy({ (1...1000).contains($0) })
        else { throw ValidationError("--clients must be numbers from 1 to 1000, separated by commas.") }
        guard self.logSize.byteCount > 0 else { throw ValidationError("--log-size must be above 0.") }
    }

    func run() async throws {
        let size = Int(self.options.size.byteCount)
        try await self.options.withScratch { scratch in
            self.options.output.console.progress("writing \(Units.described(byteCount: self.logSize.byteCount)) ...")
            let log = "\(scratch.path)/log"
            try await LogReadCell.makeLog(
                at: log, byteCount: Int(self.logSize.byteCount), size: size, batch: self.options.batch)
            let cells = self.readerCounts.map {
                LogReadCell(readers: $0, size: size, batch: self.options.batch, log: log)
            }
            try await self.options.measure(
                cells, scratch: scratch,
                settings: LogBenchSettings(batch: self.options.batch, logSize: self.logSize, cache: "warm"))
        }
    }
}

struct BenchLogRecoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover", abstract: "Opens a log after an orderly stop, and after kill -9.",
        discussion: """
            Each opening is a process of its own. P50 to MAX are the time that opening takes; RECORDS/S counts frames \
            that were scanned, MIB/S their bytes. The log that was closed is large, but its records are holes in its \
            files: whole frames of zeros that were never written. The others were killed with -9 with their last segment \
            99 % full: one is opened at once, so that the disk has to take all of it first, and one after the system \
            wrote it back.

            Example: holdfast bench log recover --log-size 1GiB
            """)

    @OptionGroup var log: LargeLogOptions
    @OptionGroup var options: BenchLogOptions

    func validate() throws { try self.options.validate(segmentSize: self.log.segmentSize) }

    func run() async throws {
        let states: [LogRecoverCell.State] = [.clean, .killed, .writtenBack]
        try await self.options.withScratch { scratch in
            let cells = states.map { state in
                LogRecoverCell(
                    state: state, size: Int(self.options.size.byteCount),
                    segmentByteCount: self.log.segmentByteCount, logByteCount: self.log.byteCount, scratch: scratch)
            }
            try await self.options.measure(cells, scratch: scratch, settings: self.log.settings)
        }
    }
}
