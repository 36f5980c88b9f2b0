import ArgumentParser
import HoldfastClient

struct BenchDiskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disk",
        abstract: "Measures what a disk gives, before any log: the other figures are to be judged by it.",
        discussion: """
            Small, middle and large writes, each with an fdatasync, and large ones without; in a file that grows, in one \
            that was allocated, as segments are, and in one that was written before. An append under always takes at least \
            one such sync. One file of --file-size at a time, removed at the end.

            JSON: bench (machine, directory, runs, settings) and rows of work, space, size, writes_per_second, \
            bytes_per_second, p50_us, p99_us, max_us. Medians over the runs; max_us is the worst of all.

            Example: holdfast bench disk --dir /var/lib
            """)

    private static let synced = [4 << 10, 64 << 10, 1 << 20]
    private static let sequential = 1 << 20

    @Option(
        help: "An existing directory on the disk to be measured; a temporary one is made in it and removed.",
        completion: .directory)
    var dir = "."

    @Option(help: "How long each row is measured. (default: 500ms)", transform: DurationArgument.parse)
    var duration = DurationArgument(milliseconds: 500)

    @Option(help: "Bytes of the file, whole MiB. (default: 32MiB)", transform: SizeArgument.parse)
    var fileSize = SizeArgument(byteCount: 32 << 20)

    @Option(help: "How often each row is measured; the rows take turns.")
    var runs = 1

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...60_000).contains(self.duration.milliseconds) else {
            throw ValidationError("--duration must be from 1ms to 60s.")
        }
        guard (1 << 20...4 << 30).contains(self.fileSize.byteCount), self.fileSize.byteCount % (1 << 20) == 0 else {
            throw ValidationError("--file-size must be whole MiB, from 1MiB to 4GiB.")
        }
        guard (1...100).contains(self.runs) else { throw ValidationError("--runs must be from 1 to 100.") }
    }

    func run() async throws {
        let console = self.output.console
        let scratch = try BenchScratch(in: self.dir)
        let interruption = Interruption { scratch.end() }
        defer {
            interruption.end()
            scratch.end()
        }
        let cells = self.cells
        var results = [[DiskBenchCell.Run]](repeating: [], count: cells.count)
        for round in 1...self.runs {
            for (index, cell) in cells.enumerated() {
                console.progress("run \(round) of \(self.runs): \(cell.title) ...")
                results[index].append(try await scratch.withDirectory { try cell.run(in: $0) })
            }
        }
        console.endProgress()
        let table = DiskBenchTable(
            bench: LogBenchCircumstances(
                directory: Files.absolute(self.dir), runs: self.runs,
                settings: LogBenchSettings(duration: self.duration)),
            rows: zip(cells, results).map { DiskBenchRow($0, $1) })
        switch self.output.output {
        case .table:
            console.note(table.bench.text)
            console.out(table.text)
        case .json: console.out(bytes: JSONDocument.encode(table))
        }
    }

    private var cells: [DiskBenchCell] {
        let kinds = Self.synced.map { (DiskBenchCell.Work.synced, $0) } + [(.sequential, Self.sequential)]
        return kinds.flatMap { work, size in
            DiskBenchCell.Space.allCases.map { space in
                DiskBenchCell(
                    work: work, space: space, size: size, fileByteCount: Int(self.fileSize.byteCount),
                    milliseconds: self.duration.milliseconds)
            }
        }
    }
}
