import LogModel
import RaftCore

/// What one node's decisions need to know beforehand.
package struct ReplicaConfiguration: Sendable {
    /// Who this node is, and which start of its directory this is.
    package var start: MemberStart
    package var member: Member { self.start.member }
    package var cluster: ClusterID
    package var policy: FsyncPolicy
    /// A frame that would pass this size of its segment begins the next one.
    package var segmentByteCountMax: Int
    package var limits = ReplicaLimits()
    package var raft: RaftConfiguration
    package var randomSeed: UInt64

    package init(
        start: MemberStart, cluster: ClusterID, policy: FsyncPolicy, segmentByteCountMax: Int,
        raft: RaftConfiguration, randomSeed: UInt64
    ) {
        self.start = start
        self.cluster = cluster
        self.policy = policy
        self.segmentByteCountMax = segmentByteCountMax
        self.raft = raft
        self.randomSeed = randomSeed
    }

    /// What an acknowledgement under this policy vouches for.
    package var durability: Durability { self.policy == .os ? .replicated : .persisted }
}

/// The two clocks, read once for each event.
package struct ReplicaTime: Sendable {
    package var monotonic: MonotonicTime
    package var wall: Timestamp
    package init(monotonic: MonotonicTime, wall: Timestamp) {
        self.monotonic = monotonic
        self.wall = wall
    }
}
