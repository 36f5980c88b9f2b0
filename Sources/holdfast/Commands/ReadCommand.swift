import ArgumentParser
import HoldfastClient
import LogModel

struct ReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Prints records: their values as lines, or JSON with -o json.")

    @Option(parsing: .unconditional, help: "first, tail, an index, or -N for the last N.")
    var from = "first"

    @Option(help: "The first index that is not wanted any more.")
    var to: UInt64?

    @Option(name: [.customShort("n"), .customLong("limit")], parsing: .unconditional, help: "At most so many records.")
    var limit: Int?

    @Option(help: "linearizable (all that was acknowledged before) or committed (what the asked node knows).")
    var consistency = "linearizable"

    @Option(help: "Reads nothing before the asked node has committed this index: your own last append, say.")
    var minIndex: UInt64?

    @Flag(name: [.short, .long], help: "Index, term and time before each value.")
    var long = false

    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard HoldfastClient.Start(argument: self.from) != nil else {
            throw ValidationError("--from must be first, tail, an index from 1, or -N.")
        }
        guard self.minIndex != 0 else { throw ValidationError("--min-index must be above 0: indexes begin with 1.") }
        guard self.limit ?? 1 > 0 else { throw ValidationError("--limit must be above 0.") }
        guard HoldfastClient.Consistency(rawValue: self.consistency) != nil else {
            throw ValidationError("--consistency must be linearizable or committed.")
        }
    }

    func run() async throws {
        let consistency = HoldfastClient.Consistency(rawValue: self.consistency) ?? .linearizable
        let printer = RecordPrinter(output: self.output, isLong: self.long)
        // A committed read is about the node that is asked.
        let server = consistency == .committed && self.servers.servers.count == 1 ? self.servers.servers[0] : nil
        var start = HoldfastClient.Start(argument: self.from) ?? .first
        var remaining = self.limit ?? .max
        let client = self.servers.client
        do throws(ClientError) {
            while remaining > 0 {
                let page = try await client.read(
                    from: start, limit: min(remaining, 2_000), minIndex: self.minIndex.map { LogIndex($0) },
                    consistency: consistency, at: server)
                let wanted = page.records.prefix { record in self.to.map { record.index.rawValue < $0 } ?? true }
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

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Prints the last records, and with -f every further one.")

    @Option(
        name: [.customShort("n"), .customLong("lines")], parsing: .unconditional, help: "How many of the last records.")
    var count = 10

    @Flag(name: [.short, .long], help: "Goes on with what is committed later.")
    var follow = false

    @Flag(name: [.short, .long], help: "Index, term and time before each value.")
    var long = false

    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard self.count >= 0 else { throw ValidationError("-n must be 0 or more.") }
    }

    func run() async throws {
        let printer = RecordPrinter(output: self.output, isLong: self.long)
        let client = self.servers.client
        do throws(ClientError) {
            var page = try await client.read(from: self.count == 0 ? .tail : .last(self.count), limit: self.count)
            printer.print(page.records)
            while self.follow || !page.isUpToDate {
                page = try await client.read(
                    from: .index(page.next), limit: 2_000, waitMilliseconds: self.follow ? 20_000 : 0,
                    consistency: .committed)
                printer.print(page.records)
            }
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// Prints records as they come.
struct RecordPrinter {
    var output: OutputOptions
    var isLong: Bool

    func print(_ records: some Collection<IndexedRecord>) {
        guard !records.isEmpty else { return }
        let console = self.output.console
        var bytes: [UInt8] = []
        for record in records {
            switch self.output.output {
            case .json:
                var writer = JSONWriter()
                writer.record(record)
                bytes += writer.bytes
            case .table:
                if self.isLong {
                    let prefix = "\(record.index)\tt\(record.term)\t\(RFC3339.text(record.timestamp))\t"
                    bytes += console.coloured(prefix, .dim).utf8
                }
                bytes += record.record.value
            }
            bytes.append(UInt8(ascii: "\n"))
        }
        console.out(bytes: bytes)
    }
}

extension HoldfastClient.Start {
    init?(argument: String) {
        switch argument {
        case "first": self = .first
        case "tail": self = .tail
        default:
            if argument.hasPrefix("-") {
                guard let count = Int(argument.dropFirst()), count > 0 else { return nil }
                self = .last(count)
            } else {
                guard let index = UInt64(argument), index > 0 else { return nil }
                self = .index(LogIndex(index))
            }
        }
    }
}
