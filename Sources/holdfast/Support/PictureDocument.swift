import HoldfastClient

/// A cluster at one moment, for programs: who leads, and what is known of each node.
struct PictureDocument<Node: Encodable>: Encodable {
    private var leader: UInt32?
    private var term: UInt64?
    private var ready: Bool
    private var nodes: [Node]

    /// - Parameter leader: What the node that leads says.
    init(leader: ClusterStatus?, nodes: [Node]) {
        self.leader = leader?.node
        self.term = leader?.term
        self.ready = leader?.isReady ?? false
        self.nodes = nodes
    }
}
