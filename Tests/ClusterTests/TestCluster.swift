import Foundation
import Glibc
import HoldfastClient
import LogModel
import Testing

/// A cluster of real processes in a directory and on ports of its own.
struct TestCluster: Sendable {
    struct Node: Hashable, Sendable {
        var number: UInt32
        var client: ServerAddress
        var dataDirectory: String
        var config: String
        var name: String { "n\(self.number)" }
        var peer: ServerAddress { ServerAddress(host: self.client.host, port: self.client.port + 1) }
        var admin: ServerAddress { ServerAddress(host: self.client.host, port: self.client.port + 2) }
    }

    let scratch: Scratch
    let nodes: [Node]
    /// Asks nodes about themselves; never used by producers.
    let observer: HoldfastClient
    /// Whether it speaks TLS, with certificates under its directory.
    var isSecure = false
    /// What its clients and commands show, where its nodes ask for tokens.
    var token: String?

    /// How clients get in.
    var access: ClientAccess {
        self.isSecure ? Self.access(to: self.directory, token: self.token) : ClientAccess(token: self.token)
    }
    var authorityFile: String { "\(self.directory)/certs/ca.pem" }

    private static func access(to directory: String, token: String? = nil) -> ClientAccess {
        .tls(authority: "\(directory)/certs/ca.pem", token: token)
    }

    var servers: [ServerAddress] { self.nodes.map(\.client) }

    /// Starts a cluster, gives it to `body`, and leaves nothing of it, whatever happens.
    ///
    /// - Parameters:
    ///   - spare: Ports are kept free for so many further nodes.
    ///   - segmentSize: Small, so that rotations happen meanwhile.
    ///   - environment: Of the nodes' processes until they are started again, beside what all have.
    ///   - prepare: Called before each attempt to start it.
    ///     Returns how `holdfast cluster up` learns of nodes and settings.
    /// - Throws: What `body` throws, after recording what the nodes said last.
    static func with(
        nodes count: Int = 3, spare: Int = 0, segmentSize: String = "1MiB", isSecure: Bool = false,
        environment: [String: String] = [:],
        prepare: (Place) async throws -> [String] = { $0.arguments }, _ body: (TestCluster) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        defer { scratch.end() }
        let cluster = try await self.start(
            count, spare: spare, in: scratch, segmentSize: segmentSize, isSecure: isSecure, environment, prepare)
        do {
            try await body(cluster)
            await cluster.observer.shutdown()
            cluster.expectHints()
        } catch {
            await cluster.observer.shutdown()
            for node in cluster.nodes { Issue.record("\(node.name) said last:\n\(cluster.lastWords(of: node))") }
            throw error
        }
    }

    /// Somebody else may take a port between the look and the start: then others are tried.
    private static func start(
        _ count: Int, spare: Int, in scratch: Scratch, segmentSize: String, isSecure: Bool,
        _ environment: [String: String], _ prepare: (Place) async throws -> [String]
    ) async throws -> TestCluster {
        var failure: Program.Answer?
        for attempt in 1...3 {
            let base = try Ports.freeBase(nodes: count + spare)
            let directory = "\(scratch.path)/\(attempt)"
            let place = Place(directory: directory, base: base, count: count, segmentSize: segmentSize)
            let answer = try await Program.run(
                ["cluster", "up", "--data-dir", directory] + (isSecure ? ["--tls"] : []) + prepare(place),
                environment: environment, seconds: 40)
            guard answer.status == 0 else {
                failure = answer
                continue
            }
            let nodes = (0..<count).map { Self.node(UInt32($0 + 1), base: base, in: directory) }
            return TestCluster(
                scratch: scratch, nodes: nodes,
                observer: HoldfastClient(
                    servers: nodes.map(\.client), access: isSecure ? self.access(to: directory) : ClientAccess(),
                    timeoutMilliseconds: 5_000), isSecure: isSecure)
        }
        throw Late(what: "a cluster to start", state: failure?.summary ?? "")
    }

    private static func node(_ number: UInt32, base: Int, in directory: String) -> Node {
        Node(
            number: number, client: ServerAddress(host: "127.0.0.1", port: base + (Int(number) - 1) * 10),
            dataDirectory: "\(directory)/n\(number)", config: "\(directory)/run/n\(number).yaml")
    }

    /// The same cluster, seen with one more node.
    func adding(_ number: UInt32) -> TestCluster {
        let base = self.nodes[0].client.port - (Int(self.nodes[0].number) - 1) * 10
        return self.seen(self.nodes + [Self.node(number, base: base, in: self.directory)])
    }

    /// The same cluster, seen without a node.
    func without(_ node: Node) -> TestCluster { self.seen(self.others(than: node)) }

    private func seen(_ nodes: [Node]) -> TestCluster {
        TestCluster(
            scratch: self.scratch, nodes: nodes, observer: self.observer, isSecure: self.isSecure, token: self.token)
    }

    /// The same cluster, for `body`, by clients and commands that show a token.
    func showing(_ token: String, _ body: (TestCluster) async throws -> Void) async throws {
        let access = self.isSecure ? Self.access(to: self.directory, token: token) : ClientAccess(token: token)
        let observer = HoldfastClient(servers: self.servers, access: access, timeoutMilliseconds: 5_000)
        let cluster = TestCluster(
            scratch: self.scratch, nodes: self.nodes, observer: observer, isSecure: self.isSecure, token: token)
        let result: Result<Void, any Error>
        do { result = .success(try await body(cluster)) } catch { result = .failure(error) }
        await observer.shutdown()
        try result.get()
    }

    // MARK: Commands

    /// The cluster's directory: `--data-dir` of `holdfast cluster`.
    var directory: String { String(self.nodes[0].dataDirectory.dropLast(3)) }

    /// What commands find in their environment.
    private var environment: [String: String] { self.token.map { ["HOLDFAST_TOKEN": $0] } ?? [:] }

    /// `holdfast cluster ARGUMENTS` for this cluster.
    @discardableResult
    func control(_ arguments: String..., exits status: Int32 = 0) async throws -> Program.Answer {
        let answer = try await Program.run(
            ["cluster"] + arguments + ["--data-dir", self.directory], environment: self.environment)
        try #require(answer.status == status, "holdfast cluster \(arguments): \(answer.summary)")
        return answer
    }

    /// `holdfast ARGUMENTS --server ...` for this cluster.
    func ask(
        _ arguments: String..., input: String? = nil, servers: [ServerAddress]? = nil
    ) async throws -> Program.Answer {
        try await self.ask(arguments, input: input, servers: servers)
    }

    func ask(
        _ arguments: [String], input: String? = nil, servers: [ServerAddress]? = nil
    ) async throws -> Program.Answer {
        let list = (servers ?? self.servers).map(\.description).joined(separator: ",")
        let security = self.isSecure ? ["--tls-ca", self.authorityFile] : []
        return try await Program.run(
            arguments + ["--server", list] + security, input: input, environment: self.environment)
    }

    /// Appends lines as a user does, and insists that it succeeds.
    func append(_ lines: [String]) async throws {
        let answer = try await self.ask("append", input: lines.map { "\($0)\n" }.joined())
        try #require(answer.status == 0, "\(answer.summary)")
    }

    // MARK: Processes

    /// A node's process, by its pid file; `nil` when it does not run.
    func process(_ node: Node) -> pid_t? {
        guard let text = try? String(contentsOfFile: "\(self.directory)/run/\(node.name).pid", encoding: .utf8)
        else { return nil }
        let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { UInt64($0) }
        guard numbers.count == 2, let pid = pid_t(exactly: numbers[0]), Processes.startTicks(of: pid) == numbers[1]
        else { return nil }
        return pid
    }

    func signal(_ number: Int32, _ node: Node) throws {
        let process = try #require(self.process(node), "\(node.name) does not run")
        try #require(Glibc.kill(process, number) == 0)
    }

    /// SIGKILL to all of them before any is waited for.
    func kill(_ nodes: [Node]) async throws {
        let processes = try nodes.map { try #require(self.process($0), "\($0.name) does not run") }
        for process in processes { Glibc.kill(process, SIGKILL) }
        try await eventually("killed processes to end") { !processes.contains { Processes.isRunning($0) } }
    }

    /// Asks nodes to stop, and waits for their ends.
    func stop(_ node: Node) async throws {
        try self.signal(SIGTERM, node)
        try await eventually("\(node.name) to end") { self.process(node) == nil }
    }

    /// Starts a node that is no member yet, as an operator would: blank, with the others' addresses.
    func serve(_ node: Node) async throws {
        let peers = (self.nodes + [node]).map { "  - \($0.number)=\($0.peer)/\($0.client)\n" }.joined()
        let text =
            "node:\n  id: \(node.number)\ndata:\n  directory: \(node.dataDirectory)\njoin: true\npeers:\n\(peers)"
            + "segment:\n  size: 1MiB\n"
        try text.write(toFile: node.config, atomically: true, encoding: .utf8)
        let place = "\(node.number) \(node.client) \(node.peer) \(node.admin) \(node.config)\n"
        try place.write(toFile: "\(self.directory)/run/\(node.name).node", atomically: true, encoding: .utf8)
        try await self.start(node)
    }

    /// - Parameter environment: Of the node's process, beside what all have.
    func start(_ node: Node, environment: [String: String] = [:]) async throws {
        let answer = try await Program.run(
            ["cluster", "start", node.name, "--data-dir", self.directory],
            environment: self.environment.merging(environment) { $1 })
        try #require(answer.status == 0, "holdfast cluster start \(node.name): \(answer.summary)")
    }

    /// All that a node has said.
    func words(of node: Node) -> String {
        (try? String(contentsOfFile: "\(self.directory)/run/\(node.name).log", encoding: .utf8)) ?? ""
    }

    func lastWords(of node: Node) -> String {
        let text = self.words(of: node)
        return text.split(separator: "\n").suffix(8).joined(separator: "\n")
    }

    // MARK: What the nodes say

    func status(_ node: Node) async -> ClusterStatus? { try? await self.observer.status(of: node.client) }

    /// What each node says of itself; the silent ones are missing.
    func statuses(of nodes: [Node]? = nil) async -> [ClusterStatus] {
        await withTaskGroup(of: ClusterStatus?.self) { group in
            for node in nodes ?? self.nodes { group.addTask { await self.status(node) } }
            return await group.reduce(into: []) { all, status in status.map { all.append($0) } }
        }
    }

    /// Waits for a leader that has committed in its term.
    ///
    /// - Parameter term: It must be later than this one.
    func leader(among nodes: [Node]? = nil, after term: UInt64 = 0) async throws -> (node: Node, term: UInt64) {
        var found: ClusterStatus?
        try await eventually("a leader after term \(term)", state: { await self.described() }) {
            found = await self.statuses(of: nodes).first { $0.role == "leader" && $0.isReady && $0.term > term }
            return found != nil
        }
        let status = try #require(found)
        return (try #require(self.nodes.first { $0.number == status.node }), status.term)
    }

    func others(than node: Node) -> [Node] { self.nodes.filter { $0 != node } }

    func described() async -> String {
        await self.statuses().sorted { $0.node < $1.node }.map {
            "n\($0.node) \($0.role) term \($0.term) last \($0.lastIndex) commit \($0.commit) tail \($0.tail)"
        }.joined(separator: "; ")
    }
}
