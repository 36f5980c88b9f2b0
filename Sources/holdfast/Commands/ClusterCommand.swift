import ArgumentParser
import Glibc
import HoldfastClient

struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Runs a cluster of real node processes on this machine.",
        discussion: "Example: holdfast cluster up; holdfast cluster kill leader; holdfast status",
        subcommands: [
            UpCommand.self, ClusterStatusCommand.self, LeaderCommand.self, KillCommand.self, PauseCommand.self,
            ResumeCommand.self, StartCommand.self, ClusterCorruptCommand.self, ClusterAddCommand.self, DownCommand.self,
        ])
}

/// Where a local cluster's files are.
struct ClusterOptions: ParsableArguments {
    static let defaultDirectory = "data"

    @Option(help: "The cluster's directory: data, pid files, logs.", completion: .directory)
    var dataDir = ClusterOptions.defaultDirectory

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

    /// Says first which variables do not count for it.
    func cluster() throws(CommandFailure) -> LocalCluster {
        let cluster = try LocalCluster.find(self.directory)
        self.noteContradiction(of: cluster)
        return cluster
    }

    func noteContradiction(of cluster: LocalCluster) {
        if let contradiction = cluster.contradiction { self.console.note(contradiction) }
    }

    /// Prints what the nodes say of themselves, and the processes.
    func report(_ picture: LocalPicture, of cluster: LocalCluster) {
        switch self.output.output {
        case .table: self.console.out(picture.table(cluster, self.console))
        case .json: self.console.out(bytes: picture.json)
        }
        for node in picture.nodes where node.isRemoved && node.process != nil && node.retirement == nil {
            self.console.note(
                "\(node.node.name) is no member any more; end it with: \(cluster.command("kill", node.node.name))")
        }
    }
}

struct ClusterStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the nodes, their processes and how far they are.",
        discussion: """
            LOG is what `status` says of it: ok, damaged, no vote, or full, for the disk has no room. Exit code 0 when all \
            nodes answer and one leads, 3 when a member does not answer or its disk is full, 69 without a leader.

            Example: holdfast cluster status -o json
            """)
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let picture = await cluster.look()
        self.options.report(picture, of: cluster)
        if let failure = picture.failure(of: cluster) { throw failure }
    }
}

struct LeaderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leader", abstract: "Prints the leader's name.",
        discussion: "Example: holdfast cluster leader")
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let leader = try await cluster.leader()
        switch self.options.output.output {
        case .table: self.options.console.out(leader.name)
        case .json:
            struct Document: Encodable {
                var leader: UInt32
                var name: String
            }
            self.options.console.out(bytes: JSONDocument.encode(Document(leader: leader.number, name: leader.name)))
        }
    }
}

struct KillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Ends a node with SIGKILL: nothing of it is flushed or said.",
        discussion: "Example: holdfast cluster kill leader")
    @Argument(help: "leader, or a node's name.", completion: .localNodesAndLeader) var node: String
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let node = try await cluster.nodeOrLeader(self.node)
        try await cluster.kill(node)
        self.options.say("killed", [node])
    }
}

struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stops a node's process in its tracks (SIGSTOP), as a hanging machine would.",
        discussion: "Example: holdfast cluster pause n1")
    @Argument(help: "leader, or a node's name.", completion: .localNodesAndLeader) var node: String
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let node = try await cluster.nodeOrLeader(self.node)
        try cluster.signal(node, SIGSTOP)
        self.options.say("paused", [node])
    }
}

struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Lets a paused node go on (SIGCONT).",
        discussion: "Example: holdfast cluster resume n1")
    @Argument(help: "A node's name.", completion: .localNodes) var node: String
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let node = try cluster.node(self.node)
        try cluster.signal(node, SIGCONT)
        self.options.say("resumed", [node])
    }
}

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Starts a node that was killed or stopped.",
        discussion: "Example: holdfast cluster start n1")
    @Argument(help: "A node's name.", completion: .localNodes) var node: String
    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let node = try cluster.node(self.node)
        try cluster.start(node)
        let client = cluster.client(servers: [node.client], timeoutMilliseconds: 10_000)
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
        commandName: "down", abstract: "Stops all nodes; their data stays.",
        discussion: "Example: holdfast cluster down --wipe")

    @Flag(help: "Removes the nodes' data, configurations and logs, after stopping.")
    var wipe = false

    @OptionGroup var options: ClusterOptions

    func run() async throws {
        let cluster = try self.options.cluster()
        let running = cluster.nodes.filter { cluster.process($0) != nil }
        // While somebody knows who is a member: the next start is not about the others.
        let picture = await cluster.look()
        await cluster.down()
        try cluster.remember(picture)
        let removed = self.wipe ? cluster.wipe() : nil
        if running.isEmpty { self.options.console.note("no node was running") }
        switch self.options.output.output {
        case .table:
            if !running.isEmpty { self.options.say("stopped", running) }
            if let removed { self.options.console.out("removed \(removed.joined(separator: ", "))") }
        case .json:
            struct Document: Encodable {
                var stopped: [String]
                var removed: [String]?
            }
            self.options.console.out(
                bytes: JSONDocument.encode(Document(stopped: running.map(\.name), removed: removed)))
        }
    }
}
