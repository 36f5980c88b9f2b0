import Access
import HoldfastClient
import HoldfastNode
import LogModel

/// Makes a cluster's files: from configuration files that a person wrote, or from a count and a port.
struct ClusterSetup {
    var directory: String

    /// Every `n*.yaml` of a directory is one node.
    func read(configurations: String) throws(CommandFailure) -> LocalCluster {
        var nodes: [LocalCluster.Node] = []
        for name in Files.names(in: configurations) where name.hasPrefix("n") && name.hasSuffix(".yaml") {
            let path = Files.absolute("\(configurations)/\(name)")
            do throws(ConfigurationProblems) {
                // Only what the file itself says: this shell's HOLDFAST_* are not about these nodes.
                let configuration = try NodeConfiguration.load(
                    ConfigurationInput(file: path, flags: [.dataDirectory: [self.directory]]))
                nodes.append(
                    LocalCluster.Node(
                        number: configuration.node.rawValue, config: path, client: configuration.clientListen,
                        peer: configuration.peerListen, admin: configuration.adminListen))
            } catch {
                throw CommandFailure(error)
            }
        }
        guard !nodes.isEmpty else {
            throw CommandFailure(
                .badConfiguration, "there is no n*.yaml in \(configurations)",
                next: "name a directory with one file for each node; see cluster/ of the repository")
        }
        guard Set(nodes.map(\.number)).count == nodes.count else {
            throw CommandFailure(.badConfiguration, "two files in \(configurations) have the same node.id")
        }
        try self.checkPorts(of: nodes)
        return try self.write(nodes)
    }

    /// `count` nodes on the loopback address: client `basePort`, peer one and admin two above it, the next node ten on.
    ///
    /// - Parameters:
    ///   - settings: Further YAML of every node, for example a small segment size.
    ///   - isSecure: By TLS, with certificates that are made here.
    ///   - hasTokens: Nodes demand a token; the cluster's own clients show one that is made here.
    func make(
        count: Int, basePort: Int, settings: String = "", isSecure: Bool = false, hasTokens: Bool = false
    ) throws(CommandFailure) -> LocalCluster {
        let nodes = (0..<count).map { offset in
            LocalCluster.Node(
                number: UInt32(offset + 1), config: "\(self.directory)/run/n\(offset + 1).yaml",
                client: ServerAddress(host: "127.0.0.1", port: basePort + offset * 10),
                peer: ServerAddress(host: "127.0.0.1", port: basePort + offset * 10 + 1),
                admin: ServerAddress(host: "127.0.0.1", port: basePort + offset * 10 + 2))
        }
        try self.checkPorts(of: nodes)
        try Files.makeDirectory("\(self.directory)/run")
        if isSecure {
            _ = try self.certificates.makeAuthority(cluster: "local", days: Self.certificateDays, isForced: false)
        }
        let settings = hasTokens ? settings + (try self.makeToken()) : settings
        for node in nodes { try self.configure(node, among: nodes, settings: settings) }
        try Files.write(settings, to: "\(self.directory)/run/\(Self.settings)")
        return try self.write(nodes)
    }

    /// - Returns: What makes a node demand it, in YAML.
    private func makeToken() throws(CommandFailure) -> String {
        let cluster = LocalCluster(directory: self.directory, nodes: [])
        let file = "\(cluster.run)/tokens"
        let (token, record) = TokenRecord.make(name: "local", scopes: Set(AccessScope.allCases))
        var tokens = TokenFile()
        do throws(TokenError) { try tokens.add(record) } catch { throw CommandFailure(.system, "\(error)") }
        try Files.writeSecret(tokens.text, to: file)
        try Files.writeSecret(token, to: cluster.tokenFile)
        return "auth:\n  tokens: \(file)\n"
    }

    private var certificates: CertificateDirectory { CertificateDirectory(path: "\(self.directory)/certs") }
    private static let certificateDays = 365

    /// Further YAML of every node that is made here.
    private static let settings = "settings.yaml"

    /// It is a member now.
    func joined(_ node: LocalCluster.Node) { Files.remove("\(self.directory)/run/\(node.name).joining") }

    /// One more node for a cluster that is there; one that was begun and is no member yet is taken up again.
    func extend(_ cluster: LocalCluster) throws(CommandFailure) -> (cluster: LocalCluster, added: LocalCluster.Node) {
        guard let last = cluster.nodes.last else { throw CommandFailure(.refused, "there is no node yet") }
        if Files.text("\(cluster.run)/\(last.name).joining") != nil { return (cluster, last) }
        guard let settings = Files.text("\(cluster.run)/\(Self.settings)") else {
            throw CommandFailure(
                .refused, "the nodes of the cluster under \(cluster.directory) have configuration files of their own",
                next: "write one for the new node, with join: true; start it, then "
                    + Invocation.clientCommand("member", "add"))
        }
        let number = last.number + 1
        let node = LocalCluster.Node(
            number: number, config: "\(cluster.run)/n\(number).yaml",
            client: ServerAddress(host: last.client.host, port: last.client.port + 10),
            peer: ServerAddress(host: last.peer.host, port: last.peer.port + 10),
            admin: ServerAddress(host: last.client.host, port: last.client.port + 12))
        try cluster.checkPorts(of: [node])
        try self.configure(node, among: cluster.nodes + [node], settings: "join: true\n" + settings)
        try Files.write("", to: "\(cluster.run)/\(node.name).joining")
        return (try self.write(cluster.nodes + [node]), node)
    }

    /// Before any file is written: what cannot start leaves nothing that looks like a cluster.
    private func checkPorts(of nodes: [LocalCluster.Node]) throws(CommandFailure) {
        let cluster = LocalCluster(directory: self.directory, nodes: nodes)
        try cluster.checkPorts(of: nodes.filter { cluster.process($0) == nil })
    }

    private func configure(
        _ node: LocalCluster.Node, among nodes: [LocalCluster.Node], settings: String
    ) throws(CommandFailure) {
        var settings = settings
        if Files.exists(self.certificates.authorityFile) {
            let made = try self.certificates.issue(
                { .node(NodeID(node.number), cluster: $0) }, hosts: CertsNodeCommand.loopback,
                days: Self.certificateDays, isForced: false)
            settings +=
                "tls:\n  certificate: \(made.file)\n  key: \(self.certificates.key(node.name))\n"
                + "  ca: \(self.certificates.authorityFile)\n"
        }
        let peers = nodes.map { "  - \($0.number)=\($0.peer)/\($0.client)\n" }.joined()
        try Files.write(
            """
            node:
              id: \(node.number)
            data:
              directory: \(self.directory)/\(node.name)
            peers:
            \(peers)\(settings)
            """, to: node.config)
    }

    private func write(_ nodes: [LocalCluster.Node]) throws(CommandFailure) -> LocalCluster {
        try Files.makeDirectory("\(self.directory)/run")
        for name in Files.names(in: "\(self.directory)/run") where name.hasSuffix(".node") {
            Files.remove("\(self.directory)/run/\(name)")
        }
        for node in nodes { try Files.write(node.text, to: "\(self.directory)/run/\(node.name).node") }
        return LocalCluster(directory: self.directory, nodes: nodes.sorted { $0.number < $1.number })
    }
}
