import ArgumentParser
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

    @OptionGroup var log: LargeLogOptions
    @OptionGroup var options: BenchLogOptions

    func validate() throws {
        guard self.options.batch == 1 else {
            throw ValidationError("--batch must be 1: each append here is of one record.")
        }
        try self.options.validate(segmentSize: self.log.segmentSize)
    }

    func run() async throws {
        let log = LogGrowthCell.Log(
            byteCount: self.log.byteCount, segmentByteCount: self.log.segmentByteCount)
        let parts: [LogGrowthCell.Part] = [.append(.os), .append(.always), .coldSeek, .warmSeek, .open]
        try await self.options.withScratch { scratch in
            let directory = "\(scratch.path)/log"
            try await log.make(at: directory)
            let cells = parts.map {
                LogGrowthCell(part: $0, size: Int(self.options.size.byteCount), log: log, directory: directory)
            }
            try await self.options.measure(cells, scratch: scratch, settings: self.log.settings)
        }
    }
}
