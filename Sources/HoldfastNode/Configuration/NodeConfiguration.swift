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
    /// All nodes, this one included, sorted by node.
    package var peers: [ClusterPeer]
    /// A blank node waits to be added to a cluster, and never forms one.
    package var isJoining = false
    package var policy = FsyncPolicy.always
    package var segmentByteCountMax = 128 << 20
    /// Bytes a second; 0 for never.
    package var scrubBytesPerSecond = 8 << 20
    /// Of what is shipped to followers.
    package var compression = RangeCompression.auto
    package var heartbeatMilliseconds: UInt64 = 50
    package var electionTimeoutMilliseconds: Range<UInt64> = 300..<600
    package var logLevel = Logger.Level.info

    package init(
        node: NodeID, dataDirectory: String, clientListen: ServerAddress, peerListen: ServerAddress,
        peers: [ClusterPeer]
    ) {
        self.node = node
        self.dataDirectory = dataDirectory
        self.clientListen = clientListen
        self.peerListen = peerListen
        self.peers = peers
    }

    /// Reads flags over environment over file over defaults.
    ///
    /// - Throws: An error that names the source of what is wrong; nothing has been opened then.
    package static func load(
        file: String?, environment: [String: String], flags: [ConfigurationKey: [String]]
    ) async throws(ConfigurationError) -> NodeConfiguration {
        let sources = try await ConfigurationSources(file: file, environment: environment, flags: flags)
        return try NodeConfiguration(sources)
    }

    private init(_ sources: ConfigurationSources) throws(ConfigurationError) {
        let node = try sources.required(.nodeID) { UInt32($0).flatMap { $0 > 0 ? NodeID($0) : nil } }
        let directory = try sources.required(.dataDirectory) { $0.isEmpty ? nil : $0 }
        let clientListen = try sources.optional(.clientListen) { ServerAddress($0) }
        let peerListen = try sources.optional(.peerListen) { ServerAddress($0) }
        let peers = try Self.peers(sources, node: node, clientListen: clientListen, peerListen: peerListen)
        guard let own = peers.first(where: { $0.node == node }) else {
            throw .contradiction("peers does not name this node: add an entry that begins with \(node)=")
        }
        self.init(
            node: node, dataDirectory: directory, clientListen: clientListen ?? own.clientAddress,
            peerListen: peerListen ?? own.peerAddress, peers: peers)
        self.isJoining = try sources.optional(.isJoining) { Bool($0) } ?? false
        try self.readTuning(sources)
        try self.checkExposure(isInsecure: try sources.optional(.isInsecure) { Bool($0) } ?? false)
    }

    private static func peers(
        _ sources: ConfigurationSources, node: NodeID, clientListen: ServerAddress?, peerListen: ServerAddress?
    ) throws(ConfigurationError) -> [ClusterPeer] {
        guard let found = try sources.list(.peers) else {
            // Alone: a cluster of one.
            let client = clientListen ?? ServerAddress(host: "127.0.0.1", port: 7400)
            let peer = peerListen ?? ServerAddress(host: "127.0.0.1", port: 7401)
            return [
                ClusterPeer(
                    node: node, peerHost: peer.host, peerPort: peer.port, clientHost: client.host,
                    clientPort: client.port)
            ]
        }
        var peers: [ClusterPeer] = []
        for entry in found {
            guard let peer = ClusterPeer(configured: entry.text) else {
                throw .badValue(.peers, source: entry.source, value: entry.text)
            }
            guard !peers.contains(where: { $0.node == peer.node }) else {
                throw .contradiction("\(entry.source): peers names node \(peer.node) twice")
            }
            peers.append(peer)
        }
        let addresses = peers.flatMap { [$0.clientAddress, $0.peerAddress] }.filter { $0.port != 0 }
        guard Set(addresses).count == addresses.count else {
            throw .contradiction("peers uses one address twice: every listener of every node needs its own")
        }
        return peers.sorted { $0.node < $1.node }
    }

    private mutating func readTuning(_ sources: ConfigurationSources) throws(ConfigurationError) {
        let window = try sources.optional(.fsyncWindow) { text in
            Units.milliseconds(text).flatMap { (1...10_000).contains($0) ? $0 : nil }
        }
        let policy = try sources.optional(.fsyncPolicy) { text in
            ["always", "batch", "os"].contains(text) ? text : nil
        }
        switch policy {
        case "batch": self.policy = .batch(windowMilliseconds: window ?? NodeLimits.fsyncWindowMilliseconds)
        case "os": self.policy = .os
        default: self.policy = .always
        }
        if window != nil, policy != "batch" {
            throw .contradiction("fsync.window is set, but only fsync.policy batch has a window")
        }
        if let size = try sources.optional(
            .segmentSize,
            parse: { text in
                Units.byteCount(text).flatMap { NodeLimits.segmentByteCounts.contains($0) ? Int($0) : nil }
            })
        {
            self.segmentByteCountMax = size
        }
        if let rate = try sources.optional(
            .scrubRate, parse: { text in Units.byteCount(text).flatMap { $0 < 1 << 40 ? Int($0) : nil } })
        {
            self.scrubBytesPerSecond = rate
        }
        if let compression = try sources.optional(.compression, parse: { RangeCompression(rawValue: $0) }) {
            self.compression = compression
        }
        if let heartbeat = try sources.optional(.heartbeat, parse: Units.milliseconds) {
            self.heartbeatMilliseconds = heartbeat
        }
        let low = try sources.optional(.electionTimeoutMin, parse: Units.milliseconds) ?? 300
        let high = try sources.optional(.electionTimeoutMax, parse: Units.milliseconds) ?? max(600, low * 2)
        guard self.heartbeatMilliseconds > 0, low >= self.heartbeatMilliseconds * 3, high > low else {
            throw .contradiction(
                "election.timeout.min (\(low) ms) must be at least three heartbeats "
                    + "(\(self.heartbeatMilliseconds) ms each) and less than election.timeout.max (\(high) ms)")
        }
        self.electionTimeoutMilliseconds = low..<high
        if let level = try sources.optional(.logLevel, parse: { Logger.Level(rawValue: $0) }) {
            self.logLevel = level
        }
    }

    /// There is no TLS and no token yet: everybody who reaches a listener may write.
    private func checkExposure(isInsecure: Bool) throws(ConfigurationError) {
        guard !isInsecure else { return }
        for listen in [self.clientListen, self.peerListen] where !listen.isLoopback {
            throw .contradiction(
                "\(listen) can be reached from other machines, without TLS and without tokens: "
                    + "listen on a loopback address, or accept that with listen.insecure: true (--insecure)")
        }
    }
}

extension ConfigurationSources {
    fileprivate func optional<Value>(
        _ key: ConfigurationKey, parse: (String) -> Value?
    ) throws(ConfigurationError) -> Value? {
        guard let found = try self.value(key) else { return nil }
        guard let value = parse(found.text) else {
            throw .badValue(key, source: found.source, value: found.text)
        }
        return value
    }

    fileprivate func required<Value>(
        _ key: ConfigurationKey, parse: (String) -> Value?
    ) throws(ConfigurationError) -> Value {
        guard let value = try self.optional(key, parse: parse) else { throw .missing(key) }
        return value
    }
}
