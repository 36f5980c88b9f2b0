import ArgumentParser
import HoldfastClient

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Starts a cluster and waits until a leader is proven.",
        discussion: """
            Nodes that run already are left alone. A cluster that is there keeps its ports and settings unless others are \
            said, which needs all of it stopped. A node that is no member any more is not started.

            Example: holdfast cluster up -n 5 --data-dir play --base-port 9000
            """)

    @Option(help: "A directory with n1.yaml, n2.yaml, ...; see cluster/ of the repository.", completion: .directory)
    var configDir: String?

    @Option(name: [.customShort("n"), .customLong("nodes")], help: "How many nodes, without --config-dir.")
    var count: Int?

    @Option(
        help:
            "The first node's client port, without --config-dir; peers listen one above, people two, the next node ten."
    )
    var basePort: Int?

    @Option(help: "segment.size of the nodes, without --config-dir.")
    var segmentSize: String?

    @Option(help: "fsync.policy of the nodes, without --config-dir.")
    var fsync: String?

    @Flag(help: "Makes certificates under DATA/certs: nodes and clients speak TLS, nodes mutually.")
    var tls = false

    @Option(
        help: "How long to wait for a leader, and for each node to answer. (default: 30s)",
        transform: DurationArgument.parse)
    var wait = DurationArgument(milliseconds: 30_000)

    @OptionGroup var options: ClusterOptions

    func validate() throws {
        if let count, !(1...7).contains(count) { throw ValidationError("-n must be from 1 to 7.") }
        let generated = [
            self.basePort == nil, self.count == nil, self.segmentSize == nil, self.fsync == nil, !self.tls,
        ]
        if self.configDir != nil, generated.contains(false) {
            throw ValidationError("--config-dir already says nodes, ports and settings.")
        }
        if let basePort, !(1...65_000).contains(basePort) { throw ValidationError("--base-port must be 1 to 65000.") }
    }

    func run() async throws {
        let console = self.options.console
        let cluster = try self.cluster()
        self.options.noteContradiction(of: cluster)
        let deadline = ContinuousClock.now + .milliseconds(self.wait.milliseconds)
        let removed = await cluster.look().removed.filter { cluster.process($0) == nil }
        let wanted = cluster.nodes.filter { node in !removed.contains { $0.number == node.number } }
        let absent = wanted.filter { cluster.process($0) == nil }
        // All before any: a cluster that cannot be whole is not begun.
        try cluster.checkPorts(of: absent)
        for node in absent { try cluster.start(node) }
        for node in removed { console.note("\(node.name) is no member any more: it is not started") }
        if absent.isEmpty { console.note("all nodes run already") }
        try await LocalCluster(directory: cluster.directory, nodes: wanted)
            .waitForLeader(milliseconds: self.wait.milliseconds)
        let picture = await cluster.waitForAnswers(until: deadline)
        try cluster.remember(picture)
        let started = absent.filter { cluster.process($0) != nil }.map(\.name).joined(separator: ", ")
        if !started.isEmpty { console.note("started \(started) under \(cluster.directory)") }
        self.options.report(picture, of: cluster)
        try self.check(absent, picture, of: cluster)
        let admins = wanted.map { "http://\($0.admin)/" }.joined(separator: " ")
        console.note("health and status for browsers and curl: \(admins)")
        if cluster.isSecure {
            let servers = cluster.servers.map { "https://\($0)" }.joined(separator: ",")
            console.note("export HOLDFAST_TLS_CA=\(cluster.certificates.authorityFile) HOLDFAST_SERVER=\(servers)")
        }
        console.note("logs: \(cluster.run)/n*.log    stop: \(cluster.command("down"))")
    }

    /// - Throws: When one of those that were started has ended again, or does not answer yet.
    private func check(
        _ started: [LocalCluster.Node], _ picture: LocalPicture, of cluster: LocalCluster
    ) throws(CommandFailure) {
        let nodes = picture.nodes.filter { node in started.contains { $0.number == node.node.number } }
        let ended = nodes.filter { $0.absence == .down }.map(\.node)
        if let first = ended.first {
            throw CommandFailure(
                .degraded, "\(ended.map(\.name).joined(separator: ", ")) ended at once: \(cluster.lastWords(first))",
                next: "see \(cluster.log(first))")
        }
        let silent = nodes.filter { $0.absence == .silent }.map(\.node)
        if let first = silent.first {
            throw CommandFailure(
                .degraded,
                "\(silent.map(\.name).joined(separator: ", ")) \(silent.count == 1 ? "is" : "are") still starting",
                next: "look again with \(cluster.command("status")); see \(cluster.log(first))")
        }
    }

    /// The cluster that is there, unless this run says what it shall be.
    private func cluster() throws(CommandFailure) -> LocalCluster {
        let setup = ClusterSetup(directory: self.options.directory)
        if let configDir { return try setup.read(configurations: configDir) }
        let found = try? LocalCluster.find(self.options.directory)
        let isSaid =
            self.count != nil || self.basePort != nil || self.segmentSize != nil || self.fsync != nil
            || (self.tls && found?.isSecure != true)
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
            settings: settings, isSecure: self.tls)
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
