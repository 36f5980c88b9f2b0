import ArgumentParser
import HoldfastClient
import HoldfastNode

extension LoadData: ExpressibleByArgument {}

struct BenchAppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Appends as fast as acknowledgements come: one record a request, or batches in sessions.",
        discussion: """
            Without --server it starts a cluster of its own and removes it afterwards. Rows are medians over the runs, \
            which take turns; MAX is the median of the runs' worst appends. ANON is the most memory of each node \
            (RssAnon), CPU its processor time over all runs.
            """)

    @Option(help: "Callers; several numbers, separated by commas, give several rows.")
    var clients = "1,16,64"

    @Option(help: "Connections that the callers share; by default each has its own.")
    var connections: Int?

    @Option(help: "Bytes of each record. (default: 100)", transform: SizeArgument.parse)
    var size = SizeArgument(byteCount: 100)

    @Option(help: "What the records hold: letters, json or random.")
    var data = LoadData.letters

    @Option(help: "Requests of each caller under way at once.")
    var inFlight = 1

    @Flag(help: "Each caller opens one session, and keeps --in-flight batches on their way in it.")
    var session = false

    @Option(help: "Records of each batch of a session.")
    var batch = 1

    @Option(help: "How often each row is measured.")
    var runs = 5

    @Option(
        help: "How long each run takes, after half a second of warming up. (default: 2s)",
        transform: DurationArgument.parse)
    var duration = DurationArgument(milliseconds: 2_000)

    @Option(help: "Measures this cluster instead: host:port, separated by commas.")
    var server: String?

    @OptionGroup var options: ClusterBenchOptions

    private static let warmUpMilliseconds: UInt64 = 500

    private var clientCounts: [Int] { self.clients.commaSeparated.compactMap { Int($0) } }

    func validate() throws {
        let counts = self.clientCounts
        guard !counts.isEmpty, counts.count == self.clients.commaSeparated.count,
            counts.allSatisfy({ (1...1_000).contains($0) })
        else { throw ValidationError("--clients must be numbers from 1 to 1000, separated by commas.") }
        if let connections {
            guard connections > 0, counts.allSatisfy({ $0 % min($0, connections) == 0 }) else {
                throw ValidationError("--connections must divide --clients.")
            }
        }
        try self.options.validate(size: self.size)
        guard (1...1_000).contains(self.inFlight) else { throw ValidationError("--in-flight must be 1 to 1000.") }
        guard (1...NodeLimits.recordsPerAppendMax).contains(self.batch) else {
            throw ValidationError("--batch must be 1 to \(NodeLimits.recordsPerAppendMax).")
        }
        guard self.session || self.batch == 1 else { throw ValidationError("--batch goes with --session.") }
        guard !self.session || self.connections == nil else {
            throw ValidationError("--connections goes without --session: each session has its own.")
        }
        guard (1...100).contains(self.runs) else { throw ValidationError("--runs must be from 1 to 100.") }
        guard self.duration.milliseconds > 0 else { throw ValidationError("--duration must be above 0.") }
        if let server, ServerAddress.list(server) == nil {
            throw ValidationError("--server must be host:port, separated by commas.")
        }
    }

    func run() async throws {
        self.options.noteBuild()
        if let servers = self.server.flatMap({ ServerAddress.list($0) }) {
            return try await self.measure(servers, policy: "the server's", cluster: nil)
        }
        try await self.options.withCluster { cluster in
            try await self.measure(cluster.servers, policy: self.options.fsync, cluster: cluster)
        }
    }

    private func measure(_ servers: [ServerAddress], policy: String, cluster: LocalCluster?) async throws {
        var results = self.clientCounts.map { clients in
            let cell = ClusterBenchCell(
                work: self.session ? "session" : "append", clients: clients,
                connections: min(clients, self.connections ?? clients), inFlight: self.inFlight, batch: self.batch,
                size: Int(self.size.byteCount), policy: policy)
            return (cell: cell, runs: [ClusterBenchRun]())
        }
        for round in 1...self.runs {
            for index in results.indices {
                let cell = results[index].cell
                self.options.output.console.progress("run \(round) of \(self.runs): \(cell.clients) clients ...")
                results[index].runs.append(try await self.run(cell, servers, cluster))
            }
        }
        self.options.output.console.endProgress()
        let table = ClusterBenchTable(
            LogBenchCircumstances(
                directory: cluster?.directory ?? Files.absolute("."), runs: self.runs,
                settings: LogBenchSettings(duration: self.duration)), results)
        self.options.print(table)
        guard table.rows.allSatisfy({ $0.recordsPerSecond ?? 0 > 0 }) else {
            throw CommandFailure(.refused, "a row measured nothing", next: "see what the first failure said")
        }
    }

    private func run(
        _ cell: ClusterBenchCell, _ servers: [ServerAddress], _ cluster: LocalCluster?
    ) async throws -> ClusterBenchRun {
        let client = HoldfastClient(servers: servers, timeoutMilliseconds: 5_000)
        guard let leader = await ClusterProbe(client: client).look().leader?.leaderAddress else {
            throw CommandFailure(.unreachable, "no leader is known", next: Invocation.clientCommand("status"))
        }
        let before = try await WireCount(of: leader, client)
        let (result, usages) = try await UsageWatch.during(cluster) { await self.load(cell, at: leader) }
        let after = try await WireCount(of: leader, client)
        await client.shutdown()
        if result.failureCount > 0 {
            self.options.output.console.note(
                "\(result.failureCount.counted("append")) failed; the first: \(result.failure ?? "")")
        }
        var run = ClusterBenchRun([result], size: Int(self.size.byteCount), batch: self.batch, usages: usages)
        run.wireBytesPerSecond = after.bytesPerSecond(since: before)
        return run
    }

    private func load(_ cell: ClusterBenchCell, at leader: ServerAddress) async -> AppendLoad.Result {
        let size = Int(self.size.byteCount)
        if self.session {
            return await SessionLoad(
                server: leader, sessions: cell.clients, inFlight: cell.inFlight, batch: cell.batch, size: size,
                data: self.data, warmUpMilliseconds: Self.warmUpMilliseconds,
                durationMilliseconds: self.duration.milliseconds
            ).run()
        }
        return await AppendLoad(
            server: leader, clients: cell.connections, inFlight: cell.clients / cell.connections * cell.inFlight,
            size: size, data: self.data, warmUpMilliseconds: Self.warmUpMilliseconds,
            durationMilliseconds: self.duration.milliseconds
        ).run()
    }
}
