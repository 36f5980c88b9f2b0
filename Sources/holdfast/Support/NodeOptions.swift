import ArgumentParser
import HoldfastNode

/// What a node is told on the command line: a file, and a flag for each key.
struct NodeOptions: ParsableArguments {
    @Option(
        help: "A YAML file; see cluster/n1.yaml. Also HOLDFAST_CONFIG.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(help: .key(.nodeID))
    var nodeId: String?

    @Option(help: .key(.dataDirectory), completion: .directory)
    var dataDir: String?

    @Option(help: .key(.clientListen))
    var listen: String?

    @Option(help: .key(.peerListen))
    var peerListen: String?

    @Option(help: .key(.adminListen))
    var adminListen: String?

    @Option(help: .key(.clientConnectionsMax))
    var clientConnectionsMax: String?

    @Option(help: .key(.clientConnectionsPerAddressMax))
    var clientConnectionsPerAddressMax: String?

    @Option(help: .key(.adminConnectionsMax))
    var adminConnectionsMax: String?

    @Option(help: .key(.adminConnectionsPerAddressMax))
    var adminConnectionsPerAddressMax: String?

    @Option(name: .customLong("peer"), help: .key(.peers, "Once per node."))
    var peers: [String] = []

    @Flag(help: .key(.isJoining))
    var join = false

    @Option(help: .key(.fsyncPolicy))
    var fsync: String?

    @Option(help: .key(.fsyncWindow))
    var fsyncWindow: String?

    @Option(help: .key(.segmentSize))
    var segmentSize: String?

    @Option(help: .key(.scrubRate))
    var scrubRate: String?

    @Option(help: .key(.compression))
    var compression: String?

    @Option(help: .key(.heartbeat))
    var heartbeat: String?

    @Option(help: .key(.electionTimeoutMin))
    var electionTimeoutMin: String?

    @Option(help: .key(.electionTimeoutMax))
    var electionTimeoutMax: String?

    @Option(help: .key(.logLevel))
    var logLevel: String?

    @Option(help: .key(.logFormat))
    var logFormat: String?

    @Option(help: .key(.traceOutput), completion: .file())
    var traceOutput: String?

    @Option(help: .key(.tlsCertificate), completion: .file(extensions: ["pem"]))
    var tlsCertificate: String?

    @Option(help: .key(.tlsKey), completion: .file())
    var tlsKey: String?

    @Option(help: .key(.tlsAuthority), completion: .file(extensions: ["pem"]))
    var tlsCa: String?

    @Option(help: .key(.tlsClients))
    var tlsClients: String?

    @Option(help: .key(.tokens), completion: .file())
    var authTokens: String?

    @Flag(help: .key(.isInsecure))
    var insecure = false

    @Flag(help: .key(.isAdminInsecure))
    var adminInsecure = false

    /// What these flags, this environment and the file say together.
    var sources: ConfigurationInput {
        let environment = Environment.all
        return ConfigurationInput(
            file: self.config ?? environment["HOLDFAST_CONFIG"], environment: environment, flags: self.flags)
    }

    private var flags: [ConfigurationKey: [String]] {
        let single: [(ConfigurationKey, String?)] = [
            (.nodeID, self.nodeId), (.dataDirectory, self.dataDir), (.clientListen, self.listen),
            (.peerListen, self.peerListen), (.adminListen, self.adminListen),
            (.clientConnectionsMax, self.clientConnectionsMax),
            (.clientConnectionsPerAddressMax, self.clientConnectionsPerAddressMax),
            (.adminConnectionsMax, self.adminConnectionsMax),
            (.adminConnectionsPerAddressMax, self.adminConnectionsPerAddressMax),
            (.fsyncPolicy, self.fsync), (.fsyncWindow, self.fsyncWindow),
            (.segmentSize, self.segmentSize), (.scrubRate, self.scrubRate), (.compression, self.compression),
            (.heartbeat, self.heartbeat), (.electionTimeoutMin, self.electionTimeoutMin),
            (.electionTimeoutMax, self.electionTimeoutMax), (.logLevel, self.logLevel), (.logFormat, self.logFormat),
            (.traceOutput, self.traceOutput),
            (.tlsCertificate, self.tlsCertificate), (.tlsKey, self.tlsKey), (.tlsAuthority, self.tlsCa),
            (.tlsClients, self.tlsClients), (.tokens, self.authTokens),
            (.isInsecure, self.insecure ? "true" : nil),
            (.isAdminInsecure, self.adminInsecure ? "true" : nil), (.isJoining, self.join ? "true" : nil),
        ]
        var flags: [ConfigurationKey: [String]] = [:]
        for (key, value) in single { flags[key] = value.map { [$0] } }
        if !self.peers.isEmpty { flags[.peers] = self.peers }
        return flags
    }
}

extension ArgumentHelp {
    /// As the registry has it.
    fileprivate static func key(_ key: ConfigurationKey, _ more: String = "") -> ArgumentHelp {
        let entry = key.entry
        var text = "\(key.rawValue): \(entry.meaning)"
        if !more.isEmpty { text += " \(more)" }
        if entry.kind != .truth { text += " Takes \(entry.kind.bounds)." }
        if case .text(let fallback) = entry.fallback, entry.kind != .truth { text += " (default: \(fallback))" }
        return ArgumentHelp(stringLiteral: text)
    }
}
