import Glibc
import HoldfastClient
import HoldfastNode

/// Real node processes on this machine, known by files under one directory:
///
///     DATA/n1/            the node's data directory
///     DATA/run/n1.yaml    its configuration, when it was made here
///     DATA/run/n1.node    where its configuration is and where it listens
///     DATA/run/n1.pid     its process, while it runs
///     DATA/run/n1.log     what it said
///     DATA/certs/         its certificates, when it speaks TLS and was made here
///     DATA/run/tokens     digests of the tokens that its nodes take, when it was made here to demand one
///     DATA/run/token      the one that its clients show then; only its owner reads it
///     DATA/run/n4.removed it was a member, and is none any more
///
/// So every command finds the cluster again, and none keeps running to hold it.
struct LocalCluster: Sendable {
    struct Node: Sendable {
        var number: UInt32
        var config: String
        var client: ServerAddress
        var peer: ServerAddress
        var admin: ServerAddress
        var name: String { "n\(self.number)" }
    }

    let directory: String
    var nodes: [Node]

    var run: String { "\(self.directory)/run" }
    var servers: [ServerAddress] { self.nodes.map(\.client) }
    var certificates: CertificateDirectory { CertificateDirectory(path: "\(self.directory)/certs") }
    var tokenFile: String { "\(self.run)/token" }
    /// Whether it was made with certificates.
    var isSecure: Bool { Files.exists(self.certificates.authorityFile) }

    /// - Parameter servers: By default all nodes.
    func client(servers: [ServerAddress]? = nil, timeoutMilliseconds: UInt64) -> HoldfastClient {
        HoldfastClient(
            servers: servers ?? self.servers, access: self.access, timeoutMilliseconds: timeoutMilliseconds)
    }

    func dataDirectory(_ node: Node) -> String { "\(self.directory)/\(node.name)" }
    /// `holdfast cluster WORDS` about this cluster, as this program was called.
    func command(_ words: String...) -> String {
        ([Invocation.name, "cluster"] + words + ["--data-dir", Invocation.quoted(self.directory)]).joined(
            separator: " ")
    }

    /// Why a node has ended, as it said itself; else the last it said.
    func lastWords(_ node: Node) -> String {
        let lines = (Files.text(self.log(node)) ?? "").split(separator: "\n").suffix(20)
        if let begin = lines.lastIndex(where: { $0.hasPrefix("holdfast: ") }),
            lines[(begin + 1)...].allSatisfy({ $0.hasPrefix("  ") })
        {
            return lines[begin...].joined(separator: "\n").replacing("holdfast: ", with: "")
        }
        return lines.suffix(3).joined(separator: "\n")
    }

    func log(_ node: Node) -> String { "\(self.run)/\(node.name).log" }
    private func pidFile(_ node: Node) -> String { "\(self.run)/\(node.name).pid" }
    func removedFile(_ node: Node) -> String { "\(self.run)/\(node.name).removed" }

    // MARK: Finding

    /// The cluster whose files are under `directory`.
    static func find(_ directory: String) throws(CommandFailure) -> LocalCluster {
        let run = "\(directory)/run"
        let nodes = Files.names(in: run).filter { $0.hasSuffix(".node") }.compactMap { name -> Node? in
            Files.text("\(run)/\(name)").flatMap { Node(text: $0) }
        }
        guard !nodes.isEmpty else {
            throw CommandFailure(
                .refused, "there is no cluster under \(directory)",
                next: "start one with \(Invocation.command("cluster", "up")), or name its directory with --data-dir")
        }
        return LocalCluster(directory: directory, nodes: nodes.sorted { $0.number < $1.number })
    }

    /// `n2` or `2`.
    func node(_ name: String) throws(CommandFailure) -> Node { try self.node(name, hint: "say") }

    /// `leader`, `n2` or `2`.
    func nodeOrLeader(_ name: String) async throws(CommandFailure) -> Node {
        name == "leader" ? try await self.leader() : try self.node(name, hint: "say leader or")
    }

    private func node(_ name: String, hint: String) throws(CommandFailure) -> Node {
        let digits = name.hasPrefix("n") ? name.dropFirst() : name[...]
        guard let node = self.nodes.first(where: { String($0.number) == digits }) else {
            throw CommandFailure(
                .usage, "there is no node \(name)",
                next: "\(hint) one of \(self.nodes.map(\.name).joined(separator: ", "))")
        }
        return node
    }

    func process(_ node: Node) -> ProcessIdentity? {
        Files.text(self.pidFile(node)).flatMap { ProcessIdentity($0) }.flatMap { $0.isRunning ? $0 : nil }
    }

    // MARK: Starting and stopping

    /// Starts a node's process; returns at once.
    ///
    /// - Throws: When it runs already, or a port of it is taken.
    func start(_ node: Node) throws(CommandFailure) {
        if let process = self.process(node) {
            throw CommandFailure(
                .refused, "\(node.name) runs already, as process \(process.pid)",
                next: "\(self.command("kill", node.name)) first, if it is to start anew")
        }
        try self.checkPorts(of: [node])
        try Files.makeDirectory(self.dataDirectory(node))
        let process = try Spawn.detached(
            Files.program, ["serve", "--config", node.config, "--data-dir", self.dataDirectory(node)],
            log: self.log(node))
        try Files.write(process.text, to: self.pidFile(node))
        // Whoever starts it wants it: it may be about to become a member again.
        Files.remove(self.removedFile(node))
    }

    /// - Throws: Which port is taken, and what can be done.
    func checkPorts(of nodes: [Node]) throws(CommandFailure) {
        for node in nodes {
            for address in [node.client, node.peer, node.admin] where Ports.isTaken(address) {
                throw CommandFailure(
                    .badConfiguration, "\(node.name) cannot start: \(address) is in use by another process",
                    next:
                        "stop that process (\(Invocation.command("cluster", "down")), if it is a cluster), or choose "
                        + "other ports (--base-port)")
            }
        }
    }

    /// Asks a node to stop, and ends it after ten seconds.
    func stop(_ node: Node) async {
        guard let process = self.process(node) else { return }
        process.signal(SIGCONT)
        process.signal(SIGTERM)
        if await !process.waitForEnd(milliseconds: 10_000) {
            process.signal(SIGKILL)
            _ = await process.waitForEnd(milliseconds: 5_000)
        }
        Files.remove(self.pidFile(node))
    }

    /// Ends a node as a power cut of its process would.
    func kill(_ node: Node) async throws(CommandFailure) {
        guard let process = self.process(node) else {
            throw CommandFailure(.refused, "\(node.name) does not run", next: self.command("start", node.name))
        }
        process.signal(SIGKILL)
        guard await process.waitForEnd(milliseconds: 5_000) else {
            throw CommandFailure(.system, "\(node.name), process \(process.pid), does not end")
        }
        Files.remove(self.pidFile(node))
    }

    func signal(_ node: Node, _ number: Int32) throws(CommandFailure) {
        guard let process = self.process(node), process.signal(number) else {
            throw CommandFailure(.refused, "\(node.name) does not run", next: self.command("start", node.name))
        }
    }

    /// Stops all nodes, the leader last: else it hands over to one that is about to stop, and only that one's log has the
    /// beginning of another term.
    func down() async {
        let leader = await self.look().leader?.node
        await self.stop(self.nodes.filter { $0.number != leader })
        await self.stop(self.nodes.filter { $0.number == leader })
    }

    private func stop(_ nodes: [Node]) async {
        await withTaskGroup(of: Void.self) { group in
            for node in nodes { group.addTask { await self.stop(node) } }
        }
    }

    /// Removes what belongs to the cluster, and its directory when nothing else is in it.
    ///
    /// - Returns: What was there and is gone.
    func wipe() -> [String] {
        let paths = (self.nodes.map(self.dataDirectory) + [self.run, self.certificates.path]).filter(Files.exists)
        for path in paths { Files.remove(path) }
        let gone = paths.filter { !Files.exists($0) }
        guard Files.names(in: self.directory).isEmpty else { return gone }
        Files.remove(self.directory)
        return [self.directory]
    }
}

extension LocalCluster.Node {
    /// Parses what ``text`` writes: `NUMBER CLIENT PEER ADMIN CONFIG`.
    init?(text: String) {
        let parts = text.split(separator: " ", maxSplits: 4)
        guard
            parts.count == 5, let number = UInt32(parts[0]), let client = ServerAddress(parts[1]),
            let peer = ServerAddress(parts[2]), let admin = ServerAddress(parts[3])
        else { return nil }
        self.init(
            number: number, config: String(parts[4].prefix { $0 != "\n" }), client: client, peer: peer, admin: admin)
    }

    var text: String { "\(self.number) \(self.client) \(self.peer) \(self.admin) \(self.config)\n" }
}
