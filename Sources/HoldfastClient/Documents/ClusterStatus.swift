/// What one node knows of its cluster: the document of `GET /v1/cluster`.
public struct ClusterStatus: Codable, Hashable, Sendable {
    /// The node that answered.
    public var node: UInt32
    public var role: String
    public var term: UInt64
    /// `nil` while no leader is known.
    public var leader: UInt32?
    /// 32 hexadecimal digits; `nil` before the cluster has formed.
    public var cluster: String?
    /// Hexadecimal; tells a wiped node from the one that was there before.
    public var incarnation: String
    /// Raised each time the cluster is recovered without its majority.
    public var generation: UInt32
    /// The last such recovery; `nil` when there was none.
    public var recovered: Recovery?
    public var firstIndex: UInt64
    /// The last committed record's index; `firstIndex - 1` when there is none.
    public var lastIndex: UInt64
    /// `segment:offset`: through where the log is committed, and where it ends.
    public var commit: String
    public var tail: String
    /// Whether the log can be used here: a leader that has committed in its own term, or a follower of one.
    public var isReady: Bool
    /// Why this node neither votes nor counts any more, and what to do; `nil` for one that does.
    public var retired: String?
    /// All members, in order; before the cluster has formed, all configured nodes.
    public var nodes: [Node]
    /// `nil` from nodes that do not tell.
    public var health: Health?
    /// Who has this node's vote in its term; `nil` when nobody has.
    public var votedFor: UInt32?
    /// The index of the last record in this node's log, committed or not; `nil` from nodes that do not tell.
    public var tailIndex: UInt64?
    /// What this node is to write next finds no room on its disk; `nil` from nodes that do not tell.
    public var isDiskFull: Bool?

    /// Whether the node's copy of the log is whole; counts since its process started.
    public struct Health: Codable, Hashable, Sendable {
        /// `false` while its log may be shorter than it was, or its votes are unknown.
        public var mayVote: Bool
        /// Segments with damage that is not repaired yet; reads of the damaged ranges are refused.
        public var damagedSegments: [UInt32]
        /// Damaged ranges that were met.
        public var damageFound: UInt64
        public var segmentsRepaired: UInt64
        /// Bytes reread in the background, and passes over all sealed segments.
        public var scrubbedBytes: UInt64
        public var scrubPasses: UInt64

        public init(
            mayVote: Bool, damagedSegments: [UInt32], damageFound: UInt64, segmentsRepaired: UInt64,
            scrubbedBytes: UInt64, scrubPasses: UInt64
        ) {
            self.mayVote = mayVote
            self.damagedSegments = damagedSegments
            self.damageFound = damageFound
            self.segmentsRepaired = segmentsRepaired
            self.scrubbedBytes = scrubbedBytes
            self.scrubPasses = scrubPasses
        }

        private enum CodingKeys: String, CodingKey {
            case mayVote = "may_vote"
            case damagedSegments = "damaged_segments"
            case damageFound = "damage_found"
            case segmentsRepaired = "segments_repaired"
            case scrubbedBytes = "scrubbed_bytes"
            case scrubPasses = "scrub_passes"
        }
    }

    /// Where the log ended that the cluster went on with.
    public struct Recovery: Codable, Hashable, Sendable {
        /// `segment:offset`
        public var position: String
        /// The index behind its last record.
        public var nextIndex: UInt64

        public init(position: String, nextIndex: UInt64) {
            self.position = position
            self.nextIndex = nextIndex
        }

        private enum CodingKeys: String, CodingKey {
            case position
            case nextIndex = "next_index"
        }
    }

    /// What a member counts for, in the newest membership of the log.
    public enum Standing: String, Codable, Sendable {
        case voter
        /// Receives the log, and does not vote.
        case learner
        /// Voters change: this one is new among them.
        case joining
        /// Voters change: this one will not be among them.
        case leaving
    }

    /// What a leader does for a follower.
    public enum Shipping: String, Codable, Sendable {
        case disconnected
        /// Connected, and to be asked again in a moment.
        case idle
        /// Finds out how far both logs are the same.
        case greeting
        case streaming
        /// What it needs is trimmed: it copies the leader's first segment.
        case fetching
    }

    public struct Node: Codable, Hashable, Sendable {
        public var node: UInt32
        /// `host:port`
        public var client: String
        public var peer: String
        /// `nil` before the cluster has formed.
        public var membership: Standing?
        /// Progress is known to the leader only.
        public var isConnected: Bool?
        /// The version of the peer protocol that it speaks, when the node that answered does not: neither hears the other.
        public var otherProtocol: UInt16?
        /// The version of the segment format that it ships as the leader, when the node that answered does not read it: that
        /// node stays behind until it runs a later release.
        public var laterFormat: UInt16?
        public var received: String?
        public var persisted: String?
        /// Bytes of the log that it is not known to have on its disk.
        public var missingBytes: UInt64?
        /// For how long what it lacks has been in the log.
        public var lagSeconds: Double?
        public var shipping: Shipping?
        /// What the node that answered has shipped there of the log, and in how many bytes it travelled; `nil` when it
        /// has shipped nothing.
        public var shippedBytes: UInt64?
        public var wireBytes: UInt64?

        public init(node: UInt32, client: String, peer: String) {
            self.node = node
            self.client = client
            self.peer = peer
        }

        private enum CodingKeys: String, CodingKey {
            case node, client, peer, membership, received, persisted, shipping
            case missingBytes = "missing_bytes"
            case lagSeconds = "lag_seconds"
            case isConnected = "connected"
            case otherProtocol = "other_protocol"
            case laterFormat = "later_format"
            case shippedBytes = "shipped_bytes"
            case wireBytes = "wire_bytes"
        }
    }

    public init(
        node: UInt32, role: String, term: UInt64, leader: UInt32?, cluster: String?, incarnation: String,
        generation: UInt32 = 1, recovered: Recovery? = nil, firstIndex: UInt64, lastIndex: UInt64, commit: String,
        tail: String, isReady: Bool, retired: String? = nil,
        nodes: [Node]
    ) {
        self.node = node
        self.role = role
        self.term = term
        self.leader = leader
        self.cluster = cluster
        self.incarnation = incarnation
        self.generation = generation
        self.recovered = recovered
        self.firstIndex = firstIndex
        self.lastIndex = lastIndex
        self.commit = commit
        self.tail = tail
        self.isReady = isReady
        self.retired = retired
        self.nodes = nodes
    }

    private enum CodingKeys: String, CodingKey {
        case node, role, term, leader, cluster, incarnation, generation, recovered, commit, tail, retired, nodes, health
        case votedFor = "voted_for"
        case tailIndex = "tail_index"
        case isDiskFull = "disk_full"
        case firstIndex = "first_index"
        case lastIndex = "last_index"
        case isReady = "ready"
    }

    /// Where the leader's clients go; `nil` while none is known.
    public var leaderAddress: ServerAddress? {
        self.leader
            .flatMap { leader in self.nodes.first { $0.node == leader } }
            .flatMap { ServerAddress($0.client) }
    }
}
