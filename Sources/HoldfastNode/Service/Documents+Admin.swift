import HTTP2Transport
import HoldfastAdmin
import HoldfastClient
import LogModel
import NIOCore
import RaftCore
import ReplicaCore
import Replicator

extension ActivitySample {
    init(_ status: ReplicatorStatus) {
        self.init(
            time: WallClock.now(), monotonic: MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds),
            appends: status.counters.appendsAcknowledged, records: status.nextIndex.rawValue - 1,
            bytes: status.counters.bytesWritten, syncs: status.syncLatency.count, appendLatency: status.appendLatency,
            syncLatency: status.syncLatency)
    }
}

extension NodeTotals {
    init(_ status: ReplicatorStatus) {
        self.init()
        let counters = status.counters
        self.appends = counters.appendsAcknowledged
        self.appendsRefused = counters.appendsRefused
        self.bytesWritten = counters.bytesWritten
        self.syncs = status.syncLatency.count
        self.rotations = counters.rotations
        self.elections = counters.elections
        self.leaderChanges = counters.leaderChanges
        self.rangesShipped = counters.rangesShipped
        self.shippedBytes = counters.rangeBytesRaw
        self.wireBytes = counters.rangeBytesOnWire
        self.rangesReceived = counters.rangesReceived
    }
}

extension NodeMetrics.Times {
    init(_ status: ReplicatorStatus) {
        self.init()
        self.appends = status.appendLatency
        self.commits = status.commitLatency
        self.syncs = status.syncLatency
        for peer in status.peers where peer.roundTimes.count > 0 { self.rounds[peer.node.rawValue] = peer.roundTimes }
    }
}

extension NodeMetrics.Listener {
    init(_ name: String, _ server: HTTP2Server) {
        let counts = server.breachCounts
        self.init(
            name: name, connectionCount: server.connectionCount,
            breaches: Dictionary(
                uniqueKeysWithValues: HTTP2Breach.allCases.map { ($0.rawValue, counts[$0, default: 0]) }))
    }
}

extension FsyncPolicy {
    /// As `fsync.policy` has it.
    var word: String {
        switch self {
        case .always: "always"
        case .batch: "batch"
        case .os: "os"
        }
    }
}
