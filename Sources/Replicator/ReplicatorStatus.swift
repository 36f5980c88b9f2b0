import LogModel
import RaftCore
import SegmentLog

/// A picture of a node, taken after its last event.
package struct ReplicatorStatus: Sendable {
    /// What the node is about.
    package enum Phase: String, Sendable {
        /// Blank, waiting for the other configured members.
        case forming
        case running
        case stopped
    }

    package struct Peer: Sendable {
        package var node: NodeID
        package var isConnected: Bool
        /// The version of the peer protocol that it speaks, and this node does not.
        package var otherProtocol: UInt16?
        /// The version of the segment format that it ships as the leader, and this node does not read.
        package var laterFormat: UInt16?
        /// As the leader knows it; `nil` elsewhere.
        package var received: Position?
        package var persisted: Position?
        /// Of the log, what it is not known to have on its disk, and for how long it has been there; `nil` where this
        /// node does not lead.
        package var missingByteCount: UInt64?
        package var lagMilliseconds: UInt64?
        /// What the leader does for it now; `nil` elsewhere.
        package var shipping: String?
        /// Bytes shipped and not yet acknowledged.
        package var inFlightByteCount: Int
        package var shipped: Shipped
        /// From a range's leaving to the follower's word that it is on its disk.
        package var roundTimes = LatencyHistogram()
    }

    /// What one follower was sent of the log, since this node has a link to it.
    package struct Shipped: Hashable, Sendable {
        package var rangeCount: UInt64 = 0
        /// Of frames, and of what travelled for them.
        package var bytesRaw: UInt64 = 0
        package var bytesOnWire: UInt64 = 0
        package init(rangeCount: UInt64 = 0, bytesRaw: UInt64 = 0, bytesOnWire: UInt64 = 0) {
            self.rangeCount = rangeCount
            self.bytesRaw = bytesRaw
            self.bytesOnWire = bytesOnWire
        }
    }

    /// Since the process started.
    package struct Counters: Sendable {
        package var appendsAcknowledged: UInt64 = 0
        package var appendsRefused: UInt64 = 0
        /// Of frames, its own and those that a leader has shipped.
        package var bytesWritten: UInt64 = 0
        package var rotations: UInt64 = 0
        package var leaderChanges: UInt64 = 0
        package var rangesShipped: UInt64 = 0
        package var rangeBytesRaw: UInt64 = 0
        package var rangeBytesOnWire: UInt64 = 0
        package var rangesReceived: UInt64 = 0
        package var syncs: UInt64 = 0
        package var elections: UInt64 = 0
        /// Ranges that a reader or the scrubber met.
        package var damageFound: UInt64 = 0
        package var segmentsRepaired: UInt64 = 0
    }

    package var phase: Phase
    package var node: NodeID
    package var incarnation: Incarnation
    package var generation: UInt32
    package var cluster: ClusterID?
    package var role: RaftRole
    package var term: Term
    package var leader: NodeID?
    package var commit: Position
    package var tail: Position
    package var firstIndex: LogIndex
    /// The index that the next committed record takes.
    package var nextIndex: LogIndex
    /// The index behind the last record in this node's log, committed or not.
    package var tailIndex = LogIndex.first
    /// Who has this node's vote in `term`.
    package var votedFor: NodeID?
    /// A leader that has committed in its own term, or a follower of a known one.
    package var isReady: Bool
    /// Why this incarnation neither votes nor counts any more.
    package var retirement: Retirement?
    /// The newest in the log, committed or not.
    package var membership: Membership
    package var peers: [Peer]
    /// `false` while this node must not vote: its log is not whole, or its votes are unknown.
    package var mayVote = true
    /// Segments with damage that is not repaired yet; reads of the damaged ranges are refused.
    package var damagedSegments: [SegmentID] = []
    /// The damaged segment that a good copy is on its way for.
    package var repairing: SegmentID?
    package var isDiskFull = false
    package var scrubbing = Scrubber.Progress()
    /// From asking this node, as the leader, to its acknowledgement.
    package var appendLatency = LatencyHistogram()
    /// From standing in the leader's log to being committed.
    package var commitLatency = LatencyHistogram()
    package var syncLatency = LatencyHistogram()
    package var counters = Counters()
}
