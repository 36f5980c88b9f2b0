import ArgumentParser
import HoldfastClient
import LogModel
import SegmentLog

struct BackupCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Copies what is committed, from nodes that run or from a stopped one.",
        discussion: """
            The first server that answers is asked; where it has damage, stops, or is behind, the others; where all are \
            behind what the backup has, they have --timeout to catch up. A run that was cut \
            off goes on when it is given again, and so does a backup of yesterday: only what is new is copied. Every byte is \
            checked. What the backup was before, it is until all that is new is there.

            Example: holdfast backup create kept --server 127.0.0.1:7410 --rate 50MiB
            Example: holdfast backup create kept --data-dir data/n1
            """)

    @Argument(help: "The backup's directory: empty, or with a backup of this cluster.", completion: .directory)
    var directory: String

    @Option(help: "A stopped node's data directory, instead of servers.", completion: .directory)
    var dataDir: String?

    @Option(help: "Bytes a second at most, for example 50MiB.", transform: SizeArgument.parse) var rate: SizeArgument?

    @OptionGroup var servers: ServerOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if self.dataDir != nil, self.servers.server != nil {
            throw ValidationError("--data-dir and --server are two sources: say one.")
        }
        if self.rate?.byteCount == 0 { throw ValidationError("--rate must be at least 1 byte a second.") }
    }

    func run() async throws {
        let began = ContinuousClock.now
        let source: any BackupSource =
            if let dataDir {
                try StoppedSource(dataDir)
            } else {
                ServerSource(
                    client: self.servers.client, servers: self.servers.servers,
                    patienceMilliseconds: self.servers.timeout.milliseconds, console: self.output.console)
            }
        let bar = ProgressBar("copying", self.output.console)
        defer { bar.end() }
        let run = BackupRun(
            source: source, directory: Files.absolute(self.directory), bytesPerSecond: self.rate?.byteCount,
            console: self.output.console)
        let made = try await run.make { bar.show(done: $0, of: $1) }
        bar.end()
        let document = BackupCreateDocument(self.directory, made, seconds: began.duration(to: .now).seconds)
        switch self.output.output {
        case .json: self.output.console.out(bytes: JSONDocument.encode(document))
        case .table: for line in document.lines { self.output.console.out(line) }
        }
        self.output.console.note(
            "check it with \(Invocation.command("backup", "verify", self.directory))")
    }
}
