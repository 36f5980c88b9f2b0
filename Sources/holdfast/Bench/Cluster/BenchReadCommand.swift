import ArgumentParser
import HoldfastClient
import HoldfastNode
import LogModel

struct BenchReadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Reads page by page, from the first record on, or with --follow as they come.",
        discussion: """
            Without --server it starts a cluster of its own, appends --log-size to it, with --follow appends meanwhile, and \
            removes it. With --server it reads what is there, or what others append, and writes nothing. A row is what all \
            readers got together, medians over the runs; EACH is the slowest and the fastest reader, in records per second. \
            P50 to MAX are of whole pages, with --follow from the question to the answer.

            Example: holdfast bench read --clients 1,4 --size 1KiB
            """)

    @Option(help: "Readers at once; several numbers, separated by commas, give several rows.")
    var clients = "1,4"

    @Option(help: "Bytes of each record that is appended. (default: 100)", transform: SizeArgument.parse)
    var size = SizeArgument(byteCount: 100)

    @Option(
        help: "Bytes of records that are appended before, without --server. (default: 8MiB)",
        transform: SizeArgument.parse)
    var logSize = SizeArgument(byteCount: 8 << 20)

    @Option(help: "Records of each page at most.")
    var page = 1_000

    @Flag(help: "From the end of the log on, what is committed meanwhile.")
    var follow = false

    @Option(help: "How often each row is measured.")
    var runs = 3

    @Option(
        help: "How long each run takes at most; with --follow, all of it. (default: 5s)",
        transform: DurationArgument.parse)
    var duration = DurationArgument(milliseconds: 5_000)

    @Option(help: "Reads from this cluster instead: host:port, separated by commas.")
    var server: String?

    @OptionGroup var access: AccessOptions
    @OptionGroup var options: ClusterBenchOptions

    /// Callers that append before and, with --follow, meanwhile.
    private static let writers = 4
    private static let fillMilliseconds: UInt64 = 200
    private static let logByteCounts: ClosedRange<UInt64> = 1...(16 << 30)

    private var readerCounts: [Int] { self.clients.commaSeparated.map { Int($0) ?? 0 } }

    func validate() throws {
        guard self.readerCounts.allSatisfy({ (1...1_000).contains($0) }) else {
            throw ValidationError("--clients must be numbers from 1 to 1000, separated by commas.")
        }
        try self.options.validate(size: self.size, runs: self.runs, server: self.server)
        guard Self.logByteCounts.contains(self.logSize.byteCount) else {
            throw ValidationError("--log-size must be from 1 to 16GiB.")
        }
        guard (1...NodeLimits.pageRecordCountMax).contains(self.page) else {
            throw ValidationError("--page must be from 1 to \(NodeLimits.pageRecordCountMax).")
        }
        guard (1...3_600_000).contains(self.duration.milliseconds) else {
            throw ValidationError("--duration must be from 1ms to 1h.")
        }
    }

    func run() async throws {
        self.options.noteBuild()
        if let target = self.server.flatMap({ BenchTarget($0, self.access) }) {
            return try await self.measure(target, policy: "the server's", cluster: nil)
        }
        try await self.options.withCluster { cluster in
            try await self.fill(cluster)
            try await self.measure(BenchTarget(cluster), policy: self.options.fsync, cluster: cluster)
        }
    }

    private func fill(_ cluster: LocalCluster) async throws {
        guard !self.follow else { return }
        var byteCount: UInt64 = 0
        while byteCount < self.logSize.byteCount {
            self.options.output.console.progress("appending \(Units.described(byteCount: self.logSize.byteCount)) ...")
            let result = try await self.append(to: cluster, milliseconds: Self.fillMilliseconds)
            guard result.failureCount == 0 else {
                throw CommandFailure(.refused, "an append was refused: \(result.failure ?? "")")
            }
            byteCount += UInt64(result.latenciesMicroseconds.count) * self.size.byteCount
        }
    }

    private func append(to cluster: LocalCluster, milliseconds: UInt64) async throws -> AppendLoad.Result {
        await AppendLoad(
            server: try await cluster.leader().client, access: cluster.access, clients: Self.writers, inFlight: 16,
            size: Int(self.size.byteCount), warmUpMilliseconds: 0, durationMilliseconds: milliseconds
        ).run()
    }

    private func measure(_ target: BenchTarget, policy: String, cluster: LocalCluster?) async throws {
        let client = target.client(timeoutMilliseconds: 10_000)
        _ = try await ClusterProbe(client: client).leader()
        var results = self.readerCounts.map { readers in
            let cell = ClusterBenchCell(
                work: self.follow ? "follow" : "read", clients: readers, connections: readers, inFlight: 1,
                size: self.server == nil ? Int(self.size.byteCount) : nil, policy: policy)
            return (cell: cell, runs: [ClusterBenchRun]())
        }
        for round in 1...self.runs {
            for index in results.indices {
                let readers = results[index].cell.clients
                self.options.output.console.progress("run \(round) of \(self.runs): \(readers) readers ...")
                let (parts, usages) = try await UsageWatch.during(cluster) {
                    try await self.read(target, readers: readers, client, cluster)
                }
                results[index].runs.append(ClusterBenchRun(parts, usages: usages))
            }
        }
        await client.shutdown()
        self.options.output.console.endProgress()
        let table = ClusterBenchTable(
            LogBenchCircumstances(
                directory: cluster?.directory ?? Files.absolute("."), runs: self.runs,
                settings: LogBenchSettings(
                    duration: self.duration, logSize: self.follow || cluster == nil ? nil : self.logSize)),
            results)
        self.options.print(table)
        guard table.rows.allSatisfy({ $0.recordsPerSecond ?? 0 > 0 }) else {
            throw CommandFailure(
                .refused, "a row read nothing",
                next: self.follow ? "nobody appended meanwhile" : "is there a record in the log? See holdfast status")
        }
    }

    /// One run: readers, and with `--follow` in a cluster of its own somebody who appends.
    private func read(
        _ target: BenchTarget, readers: Int, _ client: HoldfastClient, _ cluster: LocalCluster?
    ) async throws -> [ReadRun.Part] {
        let known: RecordPage
        do throws(ClientError) {
            known = try await client.read(from: .tail, limit: 1)
        } catch {
            throw CommandFailure(error)
        }
        let run = ReadRun(
            servers: target.servers, access: target.access, readers: readers, page: self.page, isFollowing: self.follow,
            milliseconds: self.duration.milliseconds)
        // A log whose beginning was trimmed begins later; an empty one ends where it begins.
        let range = min(known.firstIndex, known.next)..<known.next
        guard self.follow, let cluster else { return try await run.run(range) }
        async let appends = self.append(to: cluster, milliseconds: self.duration.milliseconds)
        let parts = try await run.run(range)
        _ = try await appends
        return parts
    }
}

extension ClusterBenchRun {
    /// - Parameter parts: What each of the readers got that ran at the same time.
    fileprivate init(_ parts: [ReadRun.Part], usages: [NodeUsage]) {
        var recorder = LatencyRecorder()
        for part in parts { recorder.add(part.latencies) }
        let seconds = max(parts.map(\.seconds).max() ?? 0, 1e-9)
        self.recordsPerSecond = Double(parts.reduce(0) { $0 + $1.recordCount }) / seconds
        self.bytesPerSecond = Double(parts.reduce(0) { $0 + $1.byteCount }) / seconds
        self.latency = recorder.summary
        self.readers = parts.map { Double($0.recordCount) / max($0.seconds, 1e-9) }
        self.usages = usages
    }
}
