import ArgumentParser
import HoldfastClient
import LogModel

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Prints the last records, and with -f every further one.",
        discussion: """
            Example: holdfast tail -n 20 --long
            Example: holdfast tail -f --from @-5m --format json
            """)

    @Option(
        name: [.customShort("n"), .customLong("lines")], parsing: .unconditional,
        help: "How many of the last records. (default: \(Self.countByDefault))")
    var count: Int?

    @Option(parsing: .unconditional, help: "Begins here instead: \(ReadBound.forms).")
    var from: String?

    @Flag(name: [.short, .long], help: "Goes on with what is committed later.")
    var follow = false

    @OptionGroup var printing: PrintingOptions
    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    private static let countByDefault = 10
    private static let pageRecordCount = 2_000

    func validate() throws {
        guard self.count ?? 0 >= 0 else { throw ValidationError("-n must be 0 or more.") }
        if let from {
            guard ReadBound(from) != nil else {
                throw ValidationError("--from must be \(ReadBound.forms): \(ReadBound.times).")
            }
            guard self.count == nil else { throw ValidationError("-n goes without --from.") }
        }
        try self.printing.validate(with: self.output)
    }

    func run() async throws {
        let printer = self.printing.printer(self.output)
        let client = self.servers.client
        let count = self.count ?? Self.countByDefault
        let last = ReadBound.start(count == 0 ? .tail : .last(count))
        do throws(ClientError) {
            let start = try await (self.from.flatMap { ReadBound($0) } ?? last).start(PageSource(client: client))
            guard self.follow else {
                return try await self.print(
                    from: start, limit: self.from == nil ? count : Self.pageRecordCount, with: printer, by: client)
            }
            let notes = RetryNotes(console: self.output.console)
            for try await records in client.tail(from: start, retried: notes.said).batches { printer.print(records) }
        } catch {
            throw CommandFailure(error)
        }
    }

    /// What is committed now.
    private func print(
        from start: HoldfastClient.Start, limit: Int, with printer: RecordPrinter, by client: HoldfastClient
    ) async throws(ClientError) {
        var page = try await client.read(from: start, limit: limit)
        printer.print(page.records)
        while !page.isUpToDate {
            page = try await client.read(
                from: .index(page.next), limit: Self.pageRecordCount, consistency: .committed)
            printer.print(page.records)
        }
    }
}
