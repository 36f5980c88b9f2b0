import ArgumentParser
import HoldfastClient
import HoldfastNode

extension LoadData: ExpressibleByArgument {}

struct BenchAppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract:
            "Appends as fast as acknowledgements come, or at a rate: one record a request, or batches in sessions.",
        discussion: """
            Without --server it starts a cluster of its own and removes it afterwards. Rows are medians over the runs, \
            which take turns; MAX is the median of the runs' worst appends. ANON is the most memory of each node \
            (RssAnon), CPU its processor time over all runs. WIRE/LOG is how many bytes travelled between nodes for each \
            byte of the log.

            With --rate appends are due at even distances, whether earlier ones were answered or not, and a latency counts \
            from the moment at which an append was due: what waits behind a slow one is slow, too (no coordinated \
            omission). Every caller is a producer, tries again what has to be, and so goes on through failovers. --verify \
            reads the log afterwards, and says what was lost, doubled or out of order: exit code 65 when anything was.

            JSON with --rate: acknowledged, refused, unknown, not_begun (due, and never sent), retries, gap_max_ms, latency \
            and latency_from_sending (p50_us, p90_us, p99_us, p999_us, max_us), and verification (lost, duplicated, \
            reordered, contradicted: refused and in the log, unknown_in_log).

            Example: holdfast bench append --clients 1,64
            Example: holdfast bench append --rate 1k --duration 30s --verify
            Example: holdfast bench append --server 127.0.0.1:7400 --rate 1k --verify
            """)

    @Option(
        help: """
            Callers; several numbers, separated by commas, give several rows. (default: \(Self.clientsByDefault); with \
            --rate \(Self.pacedClientsByDefault))
            """)
    var clients: String?

    @Option(help: "Appends per second of all callers together: 500, 1k, 1M; with /s if you like.")
    var rate: String?

    @Flag(help: "Reads everything back at the end and holds it against what was acknowledged. With --rate.")
    var verify = false

    @Option(help: "Connections that the callers share; by default each has its own.")
    var connections: Int?

    @Option(help: "Bytes of each record. (default: 100)", transform: SizeArgument.parse)
    var size = SizeArgument(byteCount: 100)

    @Option(help: "What the records hold: letters, json or random.")
    var data = LoadData.letters

    @Option(help: "Requests of each caller under way at once.")
    var inFlight = 1

    @Flag(
        help: """
            Each caller opens one session, and keeps --in-flight batches on their way in it; \(SessionLoad.sessionsMax) \
            callers at most.
            """)
    var session = false

    @Option(help: "Records of each batch of a session.")
    var batch = 1

    @Option(help: "How often each row is measured. (default: \(Self.runsByDefault); with --rate once)")
    var runs: Int?

    @Option(
        help: "How long each run takes, after half a second of warming up. (default: 2s)",
        transform: DurationArgument.parse)
    var duration = DurationArgument(milliseconds: 2_000)

    @Option(help: "Measures this cluster instead: host:port, separated by commas.")
    var server: String?

    @OptionGroup var access: AccessOptions
    @OptionGroup var options: ClusterBenchOptions

    private static let warmUpMilliseconds: UInt64 = 500
    private static let clientsByDefault = "1,16,64"
    private static let pacedClientsByDefault = "64"
    private static let runsByDefault = 5
    private static let clientsMax = 4_096
    private static let rates: ClosedRange<UInt64> = 1...1_000_000
    /// The log remembers 256 producers: with more of them it could forget one whose append is still being tried.
    private static let pacedClientsMax = 200
    private static let pacedMillisecondsMax: UInt64 = 86_400_000

    private var clientCounts: [Int] {
        let text = self.clients ?? (self.rate == nil ? Self.clientsByDefault : Self.pacedClientsByDefault)
        // A part that is no number is none of the numbers that are taken.
        return text.commaSeparated.map { Int($0) ?? 0 }
    }

    private var appendsPerSecond: UInt64? {
        self.rate.flatMap { Units.count($0.hasSuffix("/s") ? String($0.dropLast(2)) : $0) }
    }

    func validate() throws {
        let counts = self.clientCounts
        guard counts.allSatisfy({ (1...Self.clientsMax).contains($0) }) else {
            throw ValidationError("--clients must be numbers from 1 to \(Self.clientsMax), separated by commas.")
        }
        if let connections {
            guard connections > 0, counts.allSatisfy({ $0 % min($0, connections) == 0 }) else {
                throw ValidationError("--connections must divide --clients.")
            }
        }
        try self.options.validate(size: self.size, runs: self.runs ?? 1, server: self.server)
        guard (1...1_000).contains(self.inFlight) else { throw ValidationError("--in-flight must be 1 to 1000.") }
        guard (1...NodeLimits.recordsPerAppendMax).contains(self.batch) else {
            throw ValidationError("--batch must be 1 to \(NodeLimits.recordsPerAppendMax).")
        }
        guard self.session || self.batch == 1 else { throw ValidationError("--batch goes with --session.") }
        guard !self.session || self.connections == nil else {
            throw ValidationError("--connections goes without --session: each session has its own.")
        }
        // Of a cluster that others use, some producers are theirs.
        let sessionsMax = self.server == nil ? SessionLoad.sessionsMax : Self.pacedClientsMax
        guard !self.session || counts.allSatisfy({ $0 <= sessionsMax }) else {
            throw ValidationError(
                "--clients must be at most \(sessionsMax) with --session\(self.server == nil ? "" : " and --server"): each session "
                    + "is a producer, and the log remembers \(SessionLoad.sessionsMax) of them; with more, one's next batch would be "
                    + "refused with PRODUCER_EXPIRED.")
        }
        guard self.duration.milliseconds > 0 else { throw ValidationError("--duration must be above 0.") }
        try self.validatePace()
    }

    private func validatePace() throws {
        guard self.rate != nil else {
            guard !self.verify else { throw ValidationError("--verify goes with --rate.") }
            return
        }
        guard let rate = self.appendsPerSecond, Self.rates.contains(rate) else {
            throw ValidationError("--rate must be from 1 to 1M appends per second: 500, 1k, 1k/s.")
        }
        guard self.clientCounts.count == 1, self.clientCounts[0] <= Self.pacedClientsMax else {
            throw ValidationError("--clients must be one number from 1 to \(Self.pacedClientsMax) with --rate.")
        }
        guard !self.session, self.inFlight == 1, self.runs == nil else {
            throw ValidationError("--session, --in-flight and --runs go without --rate.")
        }
        guard self.size.byteCount >= UInt64(AppendLedger.labelByteCountMax) else {
            throw ValidationError(
                "--size must be at least \(AppendLedger.labelByteCountMax) with --rate: records have names.")
        }
        guard self.duration.milliseconds <= Self.pacedMillisecondsMax else {
            throw ValidationError("--duration must be at most 24h with --rate.")
        }
        guard rate * self.duration.milliseconds >= 1_000 else {
            throw ValidationError("--duration must be long enough for one append at this --rate.")
        }
    }

    /// Of the row that has most.
    private var connectionsMax: BenchConnections {
        BenchConnections(count: self.clientCounts.map { self.connections(of: $0) }.max() ?? 0)
    }

    private func connections(of clients: Int) -> Int { min(clients, self.connections ?? clients) }

    func run() async throws {
        self.options.noteBuild()
        try self.connectionsMax.raiseDescriptorLimit()
        if let target = self.server.flatMap({ BenchTarget($0, self.access) }) {
            return try await self.measure(target, policy: "the server's", cluster: nil)
        }
        try await self.options.withCluster(connections: self.connectionsMax) { cluster in
            if self.rate != nil {
                self.options.output.console.note("a failover meanwhile: \(cluster.command("kill", "leader"))")
            }
            try await self.measure(BenchTarget(cluster), policy: self.options.fsync, cluster: cluster)
        }
    }

    private func measure(_ target: BenchTarget, policy: String, cluster: LocalCluster?) async throws {
        let directory = cluster?.directory ?? Files.absolute(".")
        if let rate = self.appendsPerSecond {
            return try await self.measure(target, rate: rate, policy: policy, directory: directory)
        }
        let runs = self.runs ?? Self.runsByDefault
        var results = self.clientCounts.map { clients in
            let cell = ClusterBenchCell(
                work: self.session ? "session" : "append", clients: clients,
                connections: self.connections(of: clients), inFlight: self.inFlight, batch: self.batch,
                size: Int(self.size.byteCount), policy: policy)
            return (cell: cell, runs: [ClusterBenchRun]())
        }
        for round in 1...runs {
            for index in results.indices {
                let cell = results[index].cell
                self.options.output.console.progress("run \(round) of \(runs): \(cell.clients) clients ...")
                results[index].runs.append(try await self.run(cell, target, cluster))
            }
        }
        self.options.output.console.endProgress()
        let table = ClusterBenchTable(
            LogBenchCircumstances(
                directory: directory, runs: runs, settings: LogBenchSettings(duration: self.duration)), results)
        self.options.print(table)
        guard table.rows.allSatisfy({ $0.recordsPerSecond ?? 0 > 0 }) else {
            throw CommandFailure(.refused, "a row measured nothing", next: "see what the first failure said")
        }
    }

    /// At a rate, once.
    private func measure(_ target: BenchTarget, rate: UInt64, policy: String, directory: String) async throws {
        let callers = self.clientCounts[0]
        let schedule = PacedSchedule(rate: rate, callers: callers, milliseconds: self.duration.milliseconds)
        let result = try await PacedAppendRun(
            servers: target.servers, access: target.access, schedule: schedule,
            milliseconds: self.duration.milliseconds,
            connections: self.connections(of: callers), size: Int(self.size.byteCount), data: self.data,
            isVerified: self.verify, console: self.options.output.console
        ).run()
        let report = PacedAppendReport(
            result,
            bench: LogBenchCircumstances(
                directory: directory, runs: 1, settings: LogBenchSettings(duration: self.duration, rate: rate)),
            schedule: schedule, size: Int(self.size.byteCount), policy: policy)
        if let failure = result.failure { self.options.output.console.note("the first that failed: \(failure)") }
        switch self.options.output.output {
        case .table:
            self.options.output.console.note(report.bench.text)
            self.options.output.console.out(report.text)
        case .json: self.options.output.console.out(bytes: JSONDocument.encode(report))
        }
        guard result.findings?.isGood ?? true else {
            throw CommandFailure(
                .damaged, "the log is not what was acknowledged",
                next: "keep this output, the nodes' logs and directories")
        }
        guard result.acknowledged > 0 else {
            throw CommandFailure(.refused, "nothing was acknowledged", next: Invocation.clientCommand("status"))
        }
    }

    private func run(
        _ cell: ClusterBenchCell, _ target: BenchTarget, _ cluster: LocalCluster?
    ) async throws -> ClusterBenchRun {
        let client = target.client(timeoutMilliseconds: 5_000)
        let leader = try await ClusterProbe(client: client).leader()
        let before = try await WireCount(of: leader, client)
        let (result, usages) = try await UsageWatch.during(cluster) { await self.load(cell, at: leader, target.access) }
        let after = try await WireCount(of: leader, client)
        await client.shutdown()
        if result.failureCount > 0 {
            self.options.output.console.note(
                "\(result.failureCount.counted("append")) failed; the first: \(result.failure ?? "")")
        }
        var run = ClusterBenchRun([result], size: Int(self.size.byteCount), batch: self.batch, usages: usages)
        run.wireBytesPerSecond = after.bytesPerSecond(since: before)
        run.wireShare = after.share(since: before)
        return run
    }

    private func load(_ cell: ClusterBenchCell, at leader: ServerAddress, _ access: ClientAccess) async
        -> AppendLoad.Result
    {
        let size = Int(self.size.byteCount)
        if self.session {
            return await SessionLoad(
                server: leader, access: access, sessions: cell.clients, inFlight: cell.inFlight, batch: cell.batch,
                size: size,
                data: self.data, warmUpMilliseconds: Self.warmUpMilliseconds,
                durationMilliseconds: self.duration.milliseconds
            ).run()
        }
        return await AppendLoad(
            server: leader, access: access, clients: cell.connections,
            inFlight: cell.clients / cell.connections * cell.inFlight,
            size: size, data: self.data, warmUpMilliseconds: Self.warmUpMilliseconds,
            durationMilliseconds: self.duration.milliseconds
        ).run()
    }
}
