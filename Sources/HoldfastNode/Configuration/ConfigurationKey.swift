/// Every key that a node knows: the registry that unknown keys are checked against.
///
/// One key has one name everywhere: `fsync.policy` in a file, `HOLDFAST_FSYNC_POLICY` in the
/// environment, and a flag of `holdfast serve`. What else is to be said of a key stands in its ``entry``.
package enum ConfigurationKey: String, CaseIterable, Sendable {
    case nodeID = "node.id"
    case dataDirectory = "data.directory"
    case clientListen = "listen.client"
    case peerListen = "listen.peer"
    case adminListen = "listen.admin"
    case isInsecure = "listen.insecure"
    case isAdminInsecure = "admin.insecure"
    case clientConnectionsMax = "client.connections.max"
    case clientConnectionsPerAddressMax = "client.connections.per.address.max"
    case adminConnectionsMax = "admin.connections.max"
    case adminConnectionsPerAddressMax = "admin.connections.per.address.max"
    case tlsCertificate = "tls.certificate"
    case tlsKey = "tls.key"
    case tlsAuthority = "tls.ca"
    case tlsClients = "tls.clients"
    case tokens = "auth.tokens"
    case peers = "peers"
    case isJoining = "join"
    case fsyncPolicy = "fsync.policy"
    case fsyncWindow = "fsync.window"
    case segmentSize = "segment.size"
    case scrubRate = "scrub.rate"
    case compression = "replication.compression"
    case heartbeat = "election.heartbeat"
    case electionTimeoutMin = "election.timeout.min"
    case electionTimeoutMax = "election.timeout.max"
    case logLevel = "log.level"
    case logFormat = "log.format"
    case traceOutput = "trace.output"

    /// `HOLDFAST_FSYNC_POLICY`
    package var environmentName: String {
        Self.environmentPrefix + self.rawValue.split(separator: ".").joined(separator: "_").uppercased()
    }

    static let environmentPrefix = "HOLDFAST_"

    /// Names under the prefix that are not keys of a node: what the client commands read, and what
    /// Kubernetes injects into every pod beside a service called `holdfast`.
    static func isForeignEnvironmentName(_ name: String) -> Bool {
        [
            "HOLDFAST_SERVER", "HOLDFAST_CONFIG", "HOLDFAST_DATA", "HOLDFAST_BINARY", "HOLDFAST_PYTHON",
            "HOLDFAST_TLS_CERT", "HOLDFAST_TOKEN", "HOLDFAST_TOKEN_FILE",
        ].contains(name)
            || ["HOLDFAST_SERVICE_", "HOLDFAST_PORT", "HOLDFAST_TEST_"].contains { name.hasPrefix($0) }
    }

    /// The keys of a section of a file: `fsync` has `fsync.policy` and `fsync.window`.
    static func keys(under section: String) -> [ConfigurationKey] {
        Self.allCases.filter { $0.rawValue.hasPrefix(section + ".") }
    }

    /// The key that was meant: the one that differs least, when it differs by little, or the only one that ends so.
    static func closest(to name: String) -> ConfigurationKey? {
        let endings = Self.allCases.filter { $0.rawValue.hasSuffix("." + name) }
        if endings.count == 1 { return endings.first }
        return EditDistance.closest(to: name, among: Self.allCases, name: \.rawValue)
    }
}
