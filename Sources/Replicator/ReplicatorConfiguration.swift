import HTTP2Transport
import LogModel
import Logging
import ReplicaCore
import SystemPackage
import Tracing

/// Where a member of the cluster can be reached.
package struct ClusterPeer: Hashable, Sendable {
    package var node: NodeID
    package var peerHost: String
    package var peerPort: Int
    package var clientHost: String
    package var clientPort: Int

    package init(node: NodeID, peerHost: String, peerPort: Int, clientHost: String, clientPort: Int) {
        self.node = node
        self.peerHost = peerHost
        self.peerPort = peerPort
        self.clientHost = clientHost
        self.clientPort = clientPort
    }
}

/// When ranges are compressed on their way to followers.
package enum RangeCompression: String, Hashable, Sendable, CaseIterable {
    /// Large ranges, when a sample says that it pays.
    case auto
    /// All that shrink at all; for comparison.
    case always
    case never
}

/// What may change while a node runs: nothing that its peers or its files depend on.
package struct ReplicatorTuning: Hashable, Sendable {
    package var compression: RangeCompression
    /// Bytes a second; 0 for never.
    package var scrubBytesPerSecond: Int

    package init(compression: RangeCompression, scrubBytesPerSecond: Int) {
        self.compression = compression
        self.scrubBytesPerSecond = scrubBytesPerSecond
    }
}

/// What a running node needs to know.
package struct ReplicatorConfiguration: Sendable {
    package var node: NodeID
    package var dataDirectory: FilePath
    /// All configured members, this one included.
    package var peers: [ClusterPeer]
    /// Where this node listens for its peers.
    package var peerHost: String
    package var peerPort: Int
    /// Blank, it waits to be added to a cluster, and never forms one.
    package var isJoining = false
    package var policy: FsyncPolicy = .always
    /// 1 MiB ..< 4 GiB.
    package var segmentByteCountMax = 128 << 20
    /// How fast sealed segments are reread in the background to find rot early: bytes a second, 0 for never.
    package var scrubBytesPerSecond = 8 << 20
    package var compression = RangeCompression.auto
    package var heartbeatIntervalMilliseconds: UInt64 = 50
    package var electionTimeoutMilliseconds: Range<UInt64> = 300..<600
    package var limits = ReplicaLimits()
    /// This node's certificate, and who signs those of its peers; `nil` is plain text.
    package var tls: TLSStore?
    package var logger: Logger
    /// Hears of appends whose callers trace them; `nil` when nobody does.
    package var tracer: (any Tracer)?

    package init(
        node: NodeID, dataDirectory: FilePath, peers: [ClusterPeer], peerHost: String, peerPort: Int, logger: Logger
    ) {
        self.node = node
        self.dataDirectory = dataDirectory
        self.peers = peers
        self.peerHost = peerHost
        self.peerPort = peerPort
        self.logger = logger
    }

    /// - Parameter node: Who must answer; `nil` for any node of the cluster.
    func calling(_ node: NodeID?) -> TLSCalling? { self.tls.map { TLSCalling($0, expecting: .node(node)) } }
}
