import ArgumentParser
import Histogram
import HoldfastClient
import HoldfastNode

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures throughput and latency.",
        subcommands: [BenchAppendCommand.self, BenchLogCommand.self])
}

struct BenchAppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Appends one record per request, as fast as acknowledgements come.",
        discussion: "Without --server it starts a three-node cluster of its own and removes it afterwards.")

    @Option(help: "Connections; several numbers, separated by commas, are measured one after the other.")
    var clients = "1,16,64"

    @Option(help: "Requests of each client under way at once.")
    var inFlight = 1

    @Flag(help: "Each client opens one session, and keeps --in-flight batches on their way in it.")
    var session = false

    @Option(help: "Records of each batch of a session.")
    var batch = 1

    @Option(help: "Bytes of each record. (default: 256)", transform: SizeArgument.parse)
    var size = SizeArgument(byteCount: 256)

    @Option(
        help: "How long each row is measured, after a second of warming up. (default: 5s)",
        transform: DurationArgument.parse)
    var duration = DurationArgument(milliseconds: 5_000)

    @Option(help: "Nodes of the own cluster.")
    var nodes = 3

    @Option(help: "fsync.policy of the own cluster: always, batch or os.")
    var fsync = "always"

    @Option(help: "Where the own cluster keeps its data; by default a temporary directory.")
    var dataDir: String?

    @Option(help: "Measures this cluster instead: host:port, separated by commas.")
    var server: String?

    @OptionGroup var output: OutputOptions

    private var clientCounts: [Int] { self.clients.commaSeparated.compactMap { Int($0) } }

    func validate() throws {
        let counts = self.clientCounts
        guard !counts.isEmpty, counts.count == self.clients.commaSeparated.count,
            counts.allSatisfy({ (1...1_000).contains($0) })
        else { throw ValidationError("--clients must be numbers from 1 to 1000, separated by commas.") }
        guard (1...1_000).contains(self.inFlight) else { throw ValidationError("--in-flight must be 1 to 1000.") }
        guard (1...NodeLimits.recordsPerAppendMax).contains(self.batch) else {
            throw ValidationError("--batch must be 1 to \(NodeLimits.recordsPerAppendMax).")
        }
        guard self.session || self.batch == 1 else { throw ValidationError("--batch goes with --session.") }
        guard self.size.byteCount <= NodeLimits.bodyByteCountMax else {
            throw ValidationError("--size must be at most \(NodeLimits.bodyByteCountMax).")
        }
        guard (1...7).contains(self.nodes) else { throw ValidationError("--nodes must be from 1 to 7.") }
        guard self.duration.milliseconds > 0 else { throw ValidationError("--duration must be above 0.") }
        if let server, ServerAddress.list(server) == nil {
            throw ValidationError("--server must be host:port, separated by commas.")
        }
    }

    func run() async throws {
        if let servers = self.server.flatMap({ ServerAddress.list($0) }) {
            return try await self.measure(servers, policy: "the server's")
        }
        let settings = "fsync:\n  policy: \(self.fsync)\nlog:\n  level: warning\n"
        try await ThrowawayCluster.with(
            nodes: self.nodes, settings: settings, directory: self.dataDir, console: self.output.console
        ) { cluster in
            try await self.measure(cluster.servers, policy: self.fsync)
        }
    }

    private func load(of clients: Int, at leader: ServerAddress) async -> AppendLoad.Result {
        let size = Int(self.size.byteCount)
        if self.session {
            return await SessionLoad(
                server: leader, sessions: clients, inFlight: self.inFlight, batch: self.batch, size: size,
                warmUpMilliseconds: 1_000, durationMilliseconds: self.duration.milliseconds
            ).run()
        }
        return await AppendLoad(
            server: leader, clients: clients, inFlight: self.inFlight, size: size, warmUpMilliseconds: 1_000,
            durationMilliseconds: self.duration.milliseconds
        ).run()
    }

    private func measure(_ servers: [ServerAddress], policy: String) async throws {
        let console = self.output.console
        var rows: [BenchRow] = []
        for clients in self.clientCounts {
            let client = HoldfastClient(servers: servers, timeoutMilliseconds: 5_000)
            let picture = await ClusterProbe(client: client).look()
            await client.shutdown()
            guard let leader = picture.leader?.leaderAddress else {
                throw CommandFailure(.unreachable, "no leader is known", next: Invocation.clientCommand("status"))
            }
            console.progress("append, \(clients) clients ...")
            let result = await self.load(of: clients, at: leader)
            console.endProgress()
            if result.failureCount > 0 {
                console.note("\(result.failureCount) appends failed; the first: \(result.failure ?? "")")
            }
            rows.append(
                BenchRow(
                    work: self.session ? "session" : "append", clients: clients, inFlight: self.inFlight,
                    batch: self.batch, size: Int(self.size.byteCount), policy: policy, result: result))
        }
        switch self.output.output {
        case .table: console.out(BenchRow.table(rows))
        case .json: console.out(bytes: JSONDocument.encode(rows))
        }
        guard rows.allSatisfy({ $0.recordsPerSecond > 0 }) else {
            throw CommandFailure(.refused, "a row measured nothing", next: "see what the first failure said")
        }
    }
}

/// One line of results; the names are the columns of the JSON.
struct BenchRow: Encodable {
    var work: String
    var clients: Int
    var inFlight: Int
    /// Records of one request.
    var batch: Int
    var size: Int
    var policy: String
    var recordsPerSecond: Int
    var bytesPerSecond: Int
    var p50: UInt64
    var p99: UInt64
    var max: UInt64
    var failures: Int

    private enum CodingKeys: String, CodingKey {
        case work, clients, batch, size, policy, failures
        case inFlight = "in_flight"
        case recordsPerSecond = "records_per_second"
        case bytesPerSecond = "bytes_per_second"
        case p50 = "p50_us"
        case p99 = "p99_us"
        case max = "max_us"
    }

    init(
        work: String, clients: Int, inFlight: Int, batch: Int, size: Int, policy: String, result: AppendLoad.Result
    ) {
        var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
        for latency in result.latenciesMicroseconds { _ = histogram.record(UInt64(latency)) }
        let count = result.latenciesMicroseconds.count
        self.work = work
        self.clients = clients
        self.inFlight = inFlight
        self.batch = batch
        self.size = size
        self.policy = policy
        self.recordsPerSecond = Int(Double(count * batch) / result.seconds)
        self.bytesPerSecond = Int(Double(count * batch * size) / result.seconds)
        self.p50 = count == 0 ? 0 : histogram.valueAtPercentile(50)
        self.p99 = count == 0 ? 0 : histogram.valueAtPercentile(99)
        self.max = UInt64(result.latenciesMicroseconds.max() ?? 0)
        self.failures = result.failureCount
    }

    static func table(_ rows: [BenchRow]) -> String {
        Console.table(
            [
                "WORK", "CLIENTS", "IN FLIGHT", "BATCH", "SIZE", "POLICY", "RECORDS/S", "MIB/S", "P50 MS", "P99 MS",
                "MAX MS",
            ],
            rows.map { row in
                [
                    row.work, "\(row.clients)", "\(row.inFlight)", "\(row.batch)", "\(row.size)", row.policy,
                    "\(row.recordsPerSecond)", (Double(row.bytesPerSecond) / 1_048_576).rounded(2),
                    (Double(row.p50) / 1000).rounded(2), (Double(row.p99) / 1000).rounded(2),
                    (Double(row.max) / 1000).rounded(2),
                ]
            })
    }
}
