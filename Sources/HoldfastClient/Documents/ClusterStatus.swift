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
    public var firstIndex: UInt64
    /// The last committed record's index; `firstIndex - 1` when there is none.
    public var lastIndex: UInt64
    /// `segment:offset`: through where the log is committed, and where it ends.
    public var commit: String
    public var tail: String
    /// Whether the log can be used here: a leader that has committed in its own term, or a follower of one.
    public var isReady: Bool
    /// All members, in order; before the cluster has formed, all configured nodes.
    public var nodes: [Node]

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

    public struct Node: Codable, Hashable, Sendable {
        public var node: UInt32
        /// `host:port`
        public var client: String
        public var peer: String
        /// `nil` before the cluster has formed.
        public var membership: Standing?
        /// Progress is known to the leader only.
        public var isConnected: Bool?
        public var received: String?
        public var persisted: String?

        public init(node: UInt32, client: String, peer: String) {
            self.node = node
            self.client = client
            self.peer = peer
        }

        private enum CodingKeys: String, CodingKey {
            case node, client, peer, membership, received, persisted
            case isConnected = "connected"
        }
    }

    public init(
        node: UInt32, role: String, term: UInt64, leader: UInt32?, cluster: String?, incarnation: String,
        firstIndex: UInt64, lastIndex: UInt64, commit: String, tail: String, isReady: Bool,
        nodes: [Node]
    ) {
        self.node = node
        self.role = role
        self.term = term
        self.leader = leader
        self.cluster = cluster
        self.incarnation = incarnation
        self.firstIndex = firstIndex
        self.lastIndex = lastIndex
        self.commit = commit
        self.tail = tail
        self.isReady = isReady
        self.nodes = nodes
    }

    private enum CodingKeys: String, CodingKey {
        case node, role, term, leader, cluster, incarnation, commit, tail, nodes
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
