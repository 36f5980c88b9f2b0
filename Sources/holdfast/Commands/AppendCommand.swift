import ArgumentParser
import HoldfastClient
import HoldfastNode
import LogModel

struct AppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Appends the lines of files, or of stdin, each as one record.",
        discussion: """
            All of a run is one producer: a batch that has to be sent again is never stored twice. \
            When it stops early it says how many lines are certainly in the log.

            A line is a record: its text (--format lines), a record as JSON (json: a string, or an object with value or \
            valueBase64, and perhaps key, tombstone and ttl_ms, as read --format json prints it), or its bytes in base64.

            With --key all of the input is one request, and running the same command again, at any time and from \
            anywhere, appends nothing again and prints the same indexes. The key alone decides: other input under a key that \
            was used is not appended.

            Example: echo paid | holdfast append --key order-4711 --expect 42
            Example: holdfast append --format json records.ndjson
            Example: journalctl -f | holdfast append --linger 50ms --progress
            """)

    @Argument(help: "Files; - or nothing is stdin.", completion: .file())
    var files: [String] = []

    @Option(help: "What a line holds: lines (the record itself), json or base64.")
    var format = RecordFormat.lines

    @Option(help: "Lines of one request at most: they are in the log together or not at all.")
    var batch = 500

    @Option(
        help: "How long lines that are there wait for more, up to --batch of them. (default: 0ms)",
        transform: DurationArgument.parse)
    var linger = DurationArgument(milliseconds: 0)

    @Option(help: "The index that the first line must take, the others following it; else nothing is appended.")
    var expect: UInt64?

    @Option(help: "An idempotency key, 1 to \(NodeLimits.idempotencyKeyByteCountMax) bytes.")
    var key: String?

    @Option(help: "Refused once the log has seen a higher one; keeps lower ones out from then on.")
    var fencingToken: UInt64?

    @Option(help: "Whom to wait for: quorum, or all voters; one that is down holds the answer up, and not the append.")
    var ack = Acknowledgement.quorum

    @Flag(help: "Says once a second how far it is, also where stderr is no terminal.")
    var progress = false

    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    private static let lingerMillisecondsMax: UInt64 = 60_000

    func validate() throws {
        guard self.expect != 0 else { throw ValidationError("--expect must be above 0: indexes begin with 1.") }
        if let key, !(1...NodeLimits.idempotencyKeyByteCountMax).contains(key.utf8.count) {
            throw ValidationError("--key must have 1 to \(NodeLimits.idempotencyKeyByteCountMax) bytes.")
        }
        guard (1...NodeLimits.recordsPerAppendMax).contains(self.batch) else {
            throw ValidationError("--batch must be from 1 to \(NodeLimits.recordsPerAppendMax).")
        }
        guard self.linger.milliseconds <= Self.lingerMillisecondsMax else {
            throw ValidationError("--linger must be at most 1m.")
        }
        guard self.key == nil || self.linger.milliseconds == 0 else {
            throw ValidationError("--linger goes without --key: all of the input is one request.")
        }
    }

    func run() async throws {
        let conditions = WriteConditions(
            expectedNext: self.expect.map { LogIndex($0) }, fencingToken: self.fencingToken)
        let run = AppendRun(
            client: self.servers.client, console: self.output.console, input: self.input, conditions: conditions,
            acknowledgement: self.ack)
        let files = self.files.isEmpty ? ["-"] : self.files
        let interruption = Interruption(run.interrupted)
        defer { interruption.end() }
        if let key {
            try await run.append(files, key: key)
        } else {
            // All are opened before anything is sent: a name that is wrong is found while nothing is in the log.
            let readers = try files.map { try LineReader(path: $0) }
            run.willRead(readers)
            for reader in readers { try await run.append(reader) }
        }
        run.finish(as: self.output.output)
    }

    private var input: AppendRun.Input {
        AppendRun.Input(
            format: self.format, batch: self.batch, lingerMilliseconds: self.linger.milliseconds,
            tellsProgress: self.progress)
    }
}

extension Acknowledgement: ExpressibleByArgument {}
