import ArgumentParser
import HoldfastClient
import HoldfastNode

/// What the benchmarks of a cluster have in common.
struct ClusterBenchOptions: ParsableArguments {
    @Option(help: "Nodes of the own cluster.")
    var nodes = 3

    @Option(help: "fsync.policy of the own cluster: always, batch or os.")
    var fsync = "always"

    @Option(help: "replication.compression of the own cluster: auto, always or never.")
    var compression = "auto"

    @Flag(help: "The own cluster speaks TLS, nodes mutually.")
    var tls = false

    @Option(help: "Where the own cluster keeps its data; by default a temporary directory.", completion: .directory)
    var dataDir: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...7).contains(self.nodes) else { throw ValidationError("--nodes must be from 1 to 7.") }
        guard ["always", "batch", "os"].contains(self.fsync) else {
            throw ValidationError("--fsync must be always, batch or os.")
        }
        guard ["auto", "always", "never"].contains(self.compression) else {
            throw ValidationError("--compression must be auto, always or never.")
        }
    }

    /// - Parameter server: Another cluster to measure, as it is typed.
    /// - Throws: `ValidationError`, also when no request can carry such a record.
    func validate(size: SizeArgument, runs: Int, server: String? = nil) throws {
        guard (1...UInt64(NodeLimits.bodyByteCountMax)).contains(size.byteCount) else {
            throw ValidationError("bytes of a record must be from 1 to \(NodeLimits.bodyByteCountMax).")
        }
        guard (1...100).contains(runs) else { throw ValidationError("--runs must be from 1 to 100.") }
        if let server, ServerList(server) == nil {
            throw ValidationError("--server must be host:port, separated by commas.")
        }
    }

    /// Runs `body` with a cluster that is gone afterwards.
    ///
    /// - Parameter connections: What `body` has to one node.
    func withCluster<Result>(
        connections: BenchConnections? = nil, _ body: (LocalCluster) async throws -> Result
    ) async throws -> Result {
        let settings =
            "fsync:\n  policy: \(self.fsync)\nreplication:\n  compression: \(self.compression)\nlog:\n  level: warning\n"
            + (connections?.settings ?? "")
        return try await ThrowawayCluster.with(
            nodes: self.nodes, settings: settings, isSecure: self.tls,
            directory: self.dataDir, console: self.output.console, body)
    }

    func noteBuild() {
        #if DEBUG
            self.output.console.note("this is a debug build: its figures mean nothing; swift build -c release")
        #endif
    }

    func print(_ table: ClusterBenchTable) {
        switch self.output.output {
        case .table:
            self.output.console.note(table.bench.text)
            self.output.console.out(table.text)
        case .json: self.output.console.out(bytes: JSONDocument.encode(table))
        }
    }
}

/// Which cluster is measured, and how it lets in.
struct BenchTarget {
    var servers: [ServerAddress]
    var access: ClientAccess

    init(_ cluster: LocalCluster) {
        self.servers = cluster.servers
        self.access = cluster.access
    }

    /// - Returns: `nil` for what is no list of servers.
    init?(_ servers: String, _ options: AccessOptions) {
        guard let list = ServerList(servers) else { return nil }
        self.servers = list.addresses
        self.access = options.access(isSecure: list.isSecure)
    }

    func client(timeoutMilliseconds: UInt64) -> HoldfastClient {
        HoldfastClient(servers: self.servers, access: self.access, timeoutMilliseconds: timeoutMilliseconds)
    }
}

extension ClusterBenchRun {
    /// - Parameters:
    ///   - windows: What was measured, one after the other.
    ///   - size: Bytes of each record.
    ///   - batch: Records of each request.
    init(_ windows: [AppendLoad.Result], size: Int, batch: Int = 1, usages: [NodeUsage] = []) {
        var recorder = LatencyRecorder()
        for window in windows {
            for latency in window.latenciesMicroseconds { recorder.record(UInt64(latency) * 1000) }
        }
        let seconds = windows.reduce(0) { $0 + $1.seconds }
        let recordCount = windows.reduce(0) { $0 + $1.acknowledgedCount } * batch
        self.recordsPerSecond = Double(recordCount) / seconds
        self.bytesPerSecond = Double(recordCount * size) / seconds
        self.latency = recorder.summary
        self.failures = windows.reduce(0) { $0 + $1.failureCount }
        self.usages = usages
    }
}
