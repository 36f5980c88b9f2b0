import ArgumentParser
import Glibc
import HoldfastClient

struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Runs a cluster of real node processes on this machine.",
        subcommands: [
            UpCommand.self, ClusterStatusCommand.self, LeaderCommand.self, KillCommand.self, PauseCommand.self,
            ResumeCommand.self, StartCommand.self, ClusterAddCommand.self, DownCommand.self,
        ])
}

/// Where a local cluster's files are.
struct ClusterOptions: ParsableArguments {
    @Option(help: "The cluster's directory: data, pid files, logs.")
    var dataDir = "data"

    @OptionGroup var output: OutputOptions

    var directory: String { Files.absolute(self.dataDir) }
    var console: Console { self.output.console }

    /// What was done to whom.
    func say(_ done: String, _ nodes: [LocalCluster.Node]) {
        let names = nodes.map(\.name)
        switch self.output.output {
        case .table: self.console.out("\(done) \(names.joined(separator: ", "))")
        case .json: self.console.out(bytes: JSONDocument.encode([done: names]))
        }
    }

    func cluster() throws(CommandFailure) -> LocalCluster { try LocalCluster.find(self.directory) }
}

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Starts a cluster and waits until a leader is proven.",
        discussion: """
            Nodes that run already are left alone. A cluster that is there keeps its ports and settings unless others are \
            said, which needs all of it stopped.
            """)

    @Option(help: "A directory with n1.yaml, n2.yaml, ...; see cluster/ of the repository.")
    var configDir: String?

    @Option(name: [.customShort("n"), .customLong("nodes")], help: "How many nodes, without --config-dir.")
    var count: Int?

    @Option(help: "The first node's client port, without --config-dir; peers listen one above, the next node ten.")
    var basePort: Int?

    @Option(help: "segment.size of the nodes, without --config-dir.")
    var segmentSize: String?

    @Option(help: "fsync.policy of the nodes, without --config-dir.")
    var fsync: String?

    @Option(help: "How long to wait for a leader. (default: 30s)", transform: DurationArgument.parse)
    var wait = DurationArgument(milliseconds: 30_000)

    @OptionGroup var options: ClusterOptions

    func validate() throws {
        if let count, !(1...7).contains(count) { throw ValidationError("-n must be from 1 to 7.") }
        let generated = [self.basePort == nil, self.count == nil, self.segmentSize == nil, self.fsync == nil]
        if self.configDir != nil, generated.contains(false) {
            throw ValidationError("--config-dir already says nodes, ports and settings.")
        }
        if let basePort, !(1...65_000).contains(basePort) { throw ValidationError("--base-port must be 1 to 65000.") }
    }

    func run() async throws {
        let console = self.options.console
        let cluster = try await self.cluster()
        let absent = cluster.nodes.filter { cluster.process($0) == nil }
        // All before any: a cluster that cannot be whole is not begun.
        for node in absent { try cluster.checkPorts(of: node) }
        for node in absent { try cluster.start(node) }
        if absent.isEmpty { console.note("all nodes run already") }
        try await cluster.waitForLeader(milliseconds: self.wait.milliseconds)
        let ended = absent.filter { cluster.process($0) == nil }
        let started = absent.filter { cluster.process($0) != nil }.map(\.name).joined(separator: ", ")
        if !started.isEmpty { console.note("started \(started) under \(cluster.directory)") }
        try await report(cluster, self.options.output)
        if let first = ended.first {
            throw CommandFailure(
                .degraded, "\(ended.map(\.name).joined(separator: ", ")) ended at once: \(cluster.lastWords(first))",
                next: "see \(cluster.log(first))")
        }
        console.note("logs: \(cluster.run)/n*.log    stop: \(cluster.command("down"))")
    }

    /// The cluster that is there, unless this run says what it shall be.
    private func cluster() async throws(CommandFailure) -> LocalCluster {
        let setup = ClusterSetup(directory: self.options.directory)
        if let configDir { return try await setup.read(configurations: configDir) }
        let isSaid = self.count != nil || self.basePort != nil || self.segmentSize != nil || self.fsync != nil
        let found = try? LocalCluster.find(self.options.directory)
        if let found {
            if !isSaid { return found }
            try self.checkChange(of: found)
        }
        var settings = ""
        if let segmentSize { settings += "segment:\n  size: \(segmentSize)\n" }
        if let fsync { settings += "fsync:\n  policy: \(fsync)\n" }
        return try setup.make(
            count: self.count ?? found?.nodes.count ?? 3,
            basePort: self.basePort ?? found?.nodes.first?.client.port ?? 7400,
            settings: settings)
    }

    /// Other ports or settings for a cluster that is there: what runs would not hear of them, and who its members are is
    /// written in its log.
    private func checkChange(of found: LocalCluster) throws(CommandFailure) {
        if let running = found.nodes.first(where: { found.process($0) != nil }) {
            throw CommandFailure(
                .refused,
                "\(running.name) of the cluster under \(found.directory) runs, with the settings it was started with",
                next: "stop it first (\(found.command("down"))), or say nothing of ports, nodes and settings")
        }
        if let count, count != found.nodes.count {
            throw CommandFailure(
                .refused, "the cluster under \(found.directory) has \(found.nodes.count.counted("node")), not \(count)",
                next: "leave out --nodes, or begin a new cluster in another --data-dir")
        }
    }
}

/// Prints what the nodes say of themselves, and the processes.
///
/// - Returns: The nodes that run and do not answer, and whether one leads.
@discardableResult
private func report(
    _ cluster: LocalCluster, _ output: OutputOptions
) async throws(CommandFailure) -> (silent: [LocalCluster.Node], hasLeader: Bool) {
    let client = HoldfastClient(servers: cluster.servers, timeoutMilliseconds: 1_000)
    let picture = await ClusterProbe(client: client).look()
    await client.shutdown()
    switch output.output {
    case .json: output.console.out(bytes: picture.json)
    case .table:
        let rows = cluster.nodes.map { node -> [String] in
            let status = picture.nodes.first { $0.client == node.client.description }?.status
            let process = cluster.process(node)
            let role = status?.role ?? (process == nil ? "down" : "silent")
            let colour: Console.Colour? = role == "leader" ? .green : status == nil ? .red : nil
            return [
                node.name, colour.map { output.console.coloured(role, $0) } ?? role,
                status.map { "\($0.term)" } ?? "-", status.map { "\($0.lastIndex)" } ?? "-",
                process.map { "\($0.pid)" } ?? "-", node.client.description, cluster.dataDirectory(node),
            ]
        }
        output.console.out(Console.table(["NODE", "ROLE", "TERM", "LAST", "PID", "CLIENT", "DATA"], rows))
    }
    let silent = cluster.nodes.filter { node in
        let answered = picture.nodes.contains { $0.client == node.client.description && $0.status != nil }
        return !answered && cluster.process(node) != nil
    }
    return (silent, picture.leader != nil)
}

struct ClusterStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the nodes, their processes and how far they are.")
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let (silent, hasLeader) = try await report(cluster, self.options.output)
        let down = cluster.nodes.filter { cluster.process($0) == nil }
        if down.isEmpty, let first = silent.first {
            throw CommandFailure(
                .degraded, "\(silent.map(\.name).joined(separator: ", ")) running, but silent",
                next: "if it was paused: \(cluster.command("resume", first.name))")
        }
        guard !down.isEmpty else {
            guard hasLeader else {
                throw CommandFailure(
                    .unreachable, "no leader is known", next: "why not is in the nodes' logs: \(cluster.run)/n*.log")
            }
            return
        }
        throw CommandFailure(
            .degraded, "\(down.map(\.name).joined(separator: ", ")) not running",
            next: cluster.command("start", down[0].name))
    }
}

struct LeaderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "leader", abstract: "Prints the leader's name.")
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let leader = try await cluster.leader()
        switch self.options.output.output {
        case .table: self.options.console.out(leader.name)
        case .json: self.options.say("leader", [leader])
        }
    }
}

struct KillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Ends a node with SIGKILL: nothing of it is flushed or said.")
    @Argument(help: "leader, or a node's name.") var node: String
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let node = try await cluster.node(self.node)
        try await cluster.kill(node)
        self.options.say("killed", [node])
    }
}

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stops a node's process in its tracks (SIGSTOP), as a hanging machine would.")
    @Argument(help: "leader, or a node's name.") var node: String
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let node = try await cluster.node(self.node)
        try cluster.signal(node, SIGSTOP)
        self.options.say("paused", [node])
    }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Lets a paused node go on (SIGCONT).")
    @Argument(help: "A node's name.") var node: String
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let node = try await cluster.node(self.node)
        try cluster.signal(node, SIGCONT)
        self.options.say("resumed", [node])
    }
}

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Starts a node that was killed or stopped.")
    @Argument(help: "A node's name.") var node: String
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let node = try await cluster.node(self.node)
        try cluster.start(node)
        let client = HoldfastClient(servers: [node.client], timeoutMilliseconds: 10_000)
        let deadline = ContinuousClock.now + .seconds(20)
        while (try? await client.status(of: node.client)) == nil {
            guard cluster.process(node) != nil, ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .unreachable, "\(node.name) does not serve: \(cluster.lastWords(node))",
                    next: "see \(cluster.log(node))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        self.options.say("started", [node])
    }
}

struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Stops all nodes; their data stays.")

    @Flag(help: "Removes the nodes' data, configurations and logs, after stopping.")
    var wipe = false

    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let running = cluster.nodes.filter { cluster.process($0) != nil }
        await cluster.down()
        if self.wipe { cluster.wipe() }
        if running.isEmpty { self.options.console.note("no node was running") }
        if !running.isEmpty || self.options.output.output == .json { self.options.say("stopped", running) }
    }
}
