import ArgumentParser
import HoldfastClient
import LogModel

/// How records are printed.
struct PrintingOptions: ParsableArguments {
    @Option(
        help: """
            What a line is: lines (the value itself), json (all of the record; also by -o json) or base64 (the value). \
            (default: lines)
            """)
    var format: RecordFormat?

    @Flag(name: [.short, .long], help: "Index, term and time before each value.")
    var long = false

    func validate(with output: OutputOptions) throws {
        guard self.format == nil || self.format == .json || output.output != .json else {
            throw ValidationError("-o json prints JSON: leave it out, or say --format json.")
        }
        guard !self.long || self.format != .json else {
            throw ValidationError("--long goes without --format json, which has all of it.")
        }
    }

    func printer(_ output: OutputOptions) -> RecordPrinter {
        RecordPrinter(
            console: output.console, format: self.format ?? (output.output == .json ? .json : .lines),
            isLong: self.long)
    }
}

/// Prints records as they come.
struct RecordPrinter {
    var console: Console
    var format: RecordFormat
    var isLong: Bool

    func print(_ records: some Collection<IndexedRecord>) {
        guard !records.isEmpty else { return }
        var bytes: [UInt8] = []
        for record in records {
            if self.isLong, self.format != .json {
                let prefix = "\(record.index)\tt\(record.term)\t\(RFC3339.text(record.timestamp))\t"
                bytes += self.console.coloured(prefix, .dim).utf8
            }
            bytes += self.format.line(of: record)
            bytes.append(UInt8(ascii: "\n"))
        }
        self.console.out(bytes: bytes)
    }
}
