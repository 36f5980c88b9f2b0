/// Every key that a node knows: the registry that unknown keys are checked against.
///
/// One key has one name everywhere: `fsync.policy` in a file, `HOLDFAST_FSYNC_POLICY` in the
/// environment, and the flag below.
package enum ConfigurationKey: String, CaseIterable, Sendable {
    case nodeID = "node.id"
    case dataDirectory = "data.directory"
    case clientListen = "listen.client"
    case peerListen = "listen.peer"
    case isInsecure = "listen.insecure"
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

    /// `HOLDFAST_FSYNC_POLICY`
    package var environmentName: String {
        Self.environmentPrefix + self.rawValue.split(separator: ".").joined(separator: "_").uppercased()
    }

    /// The flag of `holdfast serve`.
    package var flag: String {
        switch self {
        case .nodeID: "--node-id"
        case .dataDirectory: "--data-dir"
        case .clientListen: "--listen"
        case .peerListen: "--peer-listen"
        case .isInsecure: "--insecure"
        case .peers: "--peer"
        case .isJoining: "--join"
        case .fsyncPolicy: "--fsync"
        case .fsyncWindow: "--fsync-window"
        case .segmentSize: "--segment-size"
        case .scrubRate: "--scrub-rate"
        case .compression: "--compression"
        case .heartbeat: "--heartbeat"
        case .electionTimeoutMin: "--election-timeout-min"
        case .electionTimeoutMax: "--election-timeout-max"
        case .logLevel: "--log-level"
        }
    }

    /// What a value looks like, for error messages and help.
    package var expectation: String {
        switch self {
        case .nodeID: "a whole number from 1, for example 1"
        case .dataDirectory: "a directory, for example data/n1"
        case .clientListen, .peerListen: "host:port, for example 127.0.0.1:7400 or [::1]:7400"
        case .isInsecure, .isJoining: "true or false"
        case .peers: "a list of id=peerHost:port/clientHost:port, for example 1=127.0.0.1:7401/127.0.0.1:7400"
        case .fsyncPolicy: "always, batch or os"
        case .fsyncWindow, .heartbeat, .electionTimeoutMin, .electionTimeoutMax:
            "a duration with its unit, for example 50ms or 2s"
        case .segmentSize: "a size from 1MiB to below 4GiB, for example 128MiB"
        case .scrubRate: "how much of the log is reread in a second to find rot, for example 8MiB; 0 for never"
        case .compression: "auto, always or never"
        case .logLevel: "trace, debug, info, notice, warning, error or critical"
        }
    }

    static let environmentPrefix = "HOLDFAST_"

    /// Names under the prefix that are not keys of a node: what the client commands read, and what
    /// Kubernetes injects into every pod beside a service called `holdfast`.
    static func isForeignEnvironmentName(_ name: String) -> Bool {
        ["HOLDFAST_SERVER", "HOLDFAST_CONFIG", "HOLDFAST_DATA", "HOLDFAST_BINARY", "HOLDFAST_PYTHON"].contains(name)
            || ["HOLDFAST_SERVICE_", "HOLDFAST_PORT", "HOLDFAST_TEST_"].contains { name.hasPrefix($0) }
    }
}
