import ArgumentParser
import HoldfastNode
import LogModel

struct BenchLogGrowthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth", abstract: "Appends to, seeks in and opens a log that is large already.",
        discussion: """
            The log that was there takes hardly any room: most of its bytes are holes in its files, whole frames of zeros \
            that were never written; what is sought are 256 records of 100 bytes at the beginning of each segment, \
            which are. P50 to MAX are one step: an append; from asking for an index until its record is \
            there; an opening after a stop in good order. A cold seek is the first after opening, with no descriptor \
            open and no index in memory; before the warm ones every segment was sought. The files are in the page cache.

            Example: holdfast bench log growth --log-size 1GiB --segment-size 1MiB
            """)

    @Option(help: "Bytes of the log that is there. (default: 1GiB)", transform: SizeArgument.parse)
    var logSize = SizeArgument(byteCount: 1 << 30)

    @Option(help: "Bytes of a segment file, at most 128MiB. (default: 128MiB)", transform: SizeArgument.parse)
    var segmentSize = SizeArgument(byteCount: 128 << 20)

    @OptionGroup var options: BenchLogOptions

    func validate() throws {
        guard (1 << 20...128 << 20).contains(self.segmentSize.byteCount) else {
            throw ValidationError("--segment-size must be from 1MiB to 128MiB.")
        }
        guard (1 << 20...1 << 40).contains(self.logSize.byteCount) else {
            throw ValidationError("--log-size must be from 1MiB to 1TiB.")
        }
        guard self.options.batch == 1 else {
            throw ValidationError("--batch must be 1: each append here is of one record.")
        }
        try self.options.validate(segmentSize: self.segmentSize)
    }

    func run() async throws {
        let log = LogGrowthCell.Log(
            byteCount: Int(self.logSize.byteCount), segmentByteCount: Int(self.segmentSize.byteCount))
        let parts: [LogGrowthCell.Part] = [.append(.os), .append(.always), .coldSeek, .warmSeek, .open]
        try await self.options.withScratch { scratch in
            let directory = "\(scratch.path)/log"
            try await log.make(at: directory)
            let cells = parts.map {
                LogGrowthCell(part: $0, size: Int(self.options.size.byteCount), log: log, directory: directory)
            }
            try await self.options.measure(
                cells, scratch: scratch,
                settings: LogBenchSettings(segmentSize: self.segmentSize, logSize: self.logSize, cache: "warm"))
        }
    }
}
