import ArgumentParser
import HoldfastClient
import LogModel

extension HoldfastClient.Consistency: ExpressibleByArgument {}

struct ReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Prints records: their values as lines, or all of them as JSON.",
        discussion: """
            --from and --to are \(ReadBound.forms): \(ReadBound.times). A time is found by the times of the records, which \
            never go back. What is printed with --format json or base64, append takes with the same --format.

            Example: holdfast read --from 10 -n 5 --long
            Example: holdfast read --from @-10m --to tail --format json
            Example: holdfast read --from @2026-11-27T22:00 --to @2026-11-27T22:30
            """)

    @Option(parsing: .unconditional, help: "Where to begin: \(ReadBound.forms).")
    var from = "first"

    @Option(parsing: .unconditional, help: "The first that is not wanted any more: \(ReadBound.forms).")
    var to: String?

    @Option(name: [.customShort("n"), .customLong("limit")], parsing: .unconditional, help: "At most so many records.")
    var limit: Int?

    @Option(help: "linearizable (all that was acknowledged before) or committed (what the asked node knows).")
    var consistency = HoldfastClient.Consistency.linearizable

    @Option(help: "Reads nothing before the asked node has committed this index: your own last append, say.")
    var minIndex: UInt64?

    @OptionGroup var printing: PrintingOptions
    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    private static let pageRecordCount = 2_000

    func validate() throws {
        for (name, bound) in [("--from", self.from), ("--to", self.to ?? "tail")] where ReadBound(bound) == nil {
            throw ValidationError("\(name) must be \(ReadBound.forms): \(ReadBound.times).")
        }
        guard self.minIndex != 0 else { throw ValidationError("--min-index must be above 0: indexes begin with 1.") }
        guard self.limit ?? 1 > 0 else { throw ValidationError("--limit must be above 0.") }
        try self.printing.validate(with: self.output)
    }

    func run() async throws {
        let printer = self.printing.printer(self.output)
        // A committed read is about the node that is asked.
        let isOneAsked = self.consistency == .committed && self.servers.servers.count == 1
        let pages = PageSource(
            client: self.servers.client, consistency: self.consistency, minIndex: self.minIndex.map { LogIndex($0) },
            server: isOneAsked ? self.servers.servers[0] : nil)
        var remaining = self.limit ?? .max
        do throws(ClientError) {
            var start = try await ReadBound(self.from)?.start(pages) ?? .first
            let end = try await self.to.flatMap { ReadBound($0) }?.end(pages)
            while remaining > 0 {
                let page = try await pages.page(from: start, limit: min(remaining, Self.pageRecordCount))
                let wanted = page.records.prefix { record in end.map { record.index < $0 } ?? true }
                printer.print(wanted)
                remaining -= wanted.count
                if page.isUpToDate || wanted.count < page.records.count || page.records.isEmpty { return }
                start = .index(page.next)
            }
        } catch {
            throw CommandFailure(error)
        }
    }
}
