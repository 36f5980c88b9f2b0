import HTTP2Transport
import HoldfastAdmin
import HoldfastClient
import LogModel
import Logging
import Replicator

/// Everything that a node is told from outside, checked.
package struct NodeConfiguration: Sendable {
    package var node: NodeID
    package var dataDirectory: String
    /// Where the client listener binds; its advertised address is that of `peers`.
    package var clientListen: ServerAddress
    package var peerListen: ServerAddress
    package var adminListen: ServerAddress
    package var clientConnections: ClientConnections
    /// Of the connections of the admin listener.
    package var adminBounds: ConnectionBounds
    /// All nodes, this one included, sorted by node.
    package var peers: [ClusterPeer]
    /// A blank node waits to be added to a cluster, and never forms one.
    package var isJoining: Bool
    package var policy: FsyncPolicy
    package var segmentByteCountMax: Int
    /// Bytes a second; 0 for never.
    package var scrubBytesPerSecond: Int
    /// Of what is shipped to followers.
    package var compression: RangeCompression
    package var heartbeatMilliseconds: UInt64
    package var electionTimeoutMilliseconds: Range<UInt64>
    package var logLevel: Logger.Level
    package var logFormat: JournalFormat
    /// Where spans go; `nil` for nowhere.
    package var traceOutput: TraceOutput?
    package var security: NodeSecurity

    /// Reads flags over environment over file over defaults.
    ///
    /// - Throws: All that is wrong, each with its source; nothing has been opened then.
    package static func load(_ input: ConfigurationInput) throws(ConfigurationProblems) -> NodeConfiguration {
        let report = ConfigurationReport(input)
        guard let configuration = report.configuration else { throw ConfigurationProblems(all: report.problems) }
        return configuration
    }

    /// - Returns: `nil` when something is wrong; all of it is noted.
    init?(_ reading: inout ConfigurationReading) {
        let node = reading.node(.nodeID)
        let directory = reading.directory(.dataDirectory)
        let security = NodeSecurity.read(&reading)
        // With a mistake in it nothing more is said of what is exposed without it.
        let listeners = Self.listeners(
            &reading, node: node, security ?? NodeSecurity(tls: TLSFiles(), clients: .certified))
        let connections = ClientConnections.read(&reading)
        let adminBounds = ConnectionBounds.read(&reading)
        let isJoining = reading.truth(.isJoining)
        let policy = Self.policy(&reading)
        let segment = reading.byteCount(.segmentSize)
        let scrub = reading.byteCount(.scrubRate)
        let compression = reading.word(.compression).flatMap { RangeCompression(rawValue: $0) }
        let timing = Self.timing(&reading)
        let level = reading.word(.logLevel).flatMap { Logger.Level(rawValue: $0) }
        let format = reading.word(.logFormat).flatMap { JournalFormat(rawValue: $0) }
        let trace = reading.path(.traceOutput).map { TraceOutput($0) }
        guard
            reading.problems.isEmpty, let node, let directory, let listeners, let connections, let adminBounds,
            let isJoining, let policy,
            let segment, let scrub, let compression, let timing, let level, let format, let security
        else { return nil }
        self.node = node
        self.dataDirectory = directory
        self.clientListen = listeners.client
        self.peerListen = listeners.peer
        self.adminListen = listeners.admin
        self.clientConnections = connections
        self.adminBounds = adminBounds
        self.peers = listeners.peers
        self.isJoining = isJoining
        self.policy = policy
        self.segmentByteCountMax = segment
        self.scrubBytesPerSecond = scrub
        self.compression = compression
        self.heartbeatMilliseconds = timing.heartbeat
        self.electionTimeoutMilliseconds = timing.timeout
        self.logLevel = level
        self.logFormat = format
        self.traceOutput = trace
        self.security = security
    }

    private static func policy(_ reading: inout ConfigurationReading) -> FsyncPolicy? {
        let window = reading.milliseconds(.fsyncWindow)
        guard let policy = reading.word(.fsyncPolicy) else { return nil }
        if policy != "batch", reading.isSaid(.fsyncWindow) {
            reading.note(.windowWithoutBatch(policy: policy, origin: reading.origin(.fsyncWindow)))
        }
        switch policy {
        case "batch": return window.map { .batch(windowMilliseconds: $0) }
        case "os": return .os
        default: return .always
        }
    }

    private static func timing(
        _ reading: inout ConfigurationReading
    ) -> (heartbeat: UInt64, timeout: Range<UInt64>)? {
        let heartbeat = reading.milliseconds(.heartbeat)
        let low = reading.milliseconds(.electionTimeoutMin)
        let said = reading.milliseconds(.electionTimeoutMax)
        guard let heartbeat, let low else { return nil }
        let high = said ?? max(600, low * 2)
        reading.derive(.electionTimeoutMax, Units.spelled(milliseconds: high))
        guard low >= heartbeat * 3, high > low else {
            reading.note(.electionTimeouts(min: low, max: high, heartbeat: heartbeat))
            return nil
        }
        return (heartbeat, low..<high)
    }
}
