/// All nodes of the cluster as one of them sees them now: the answer of `GET /admin/v1/cluster`.
package struct ClusterView: Codable, Hashable, Sendable {
    package struct Node: Codable, Hashable, Sendable {
        package var node: UInt32
        /// `host:port` of its client listener.
        package var client: String
        package var isReachable: Bool
        /// Why nothing was heard of it.
        package var reason: String?
        /// How old `status` is; `nil` without one.
        package var ageSeconds: Double?
        /// What it said last.
        package var status: NodeStatus?

        private enum CodingKeys: String, CodingKey {
            case node, client, reason, status
            case isReachable = "reachable"
            case ageSeconds = "age_seconds"
        }
    }

    /// Who was asked.
    package var node: UInt32
    /// RFC 3339.
    package var time: String
    /// Who leads, by the newest term that a node knows; `nil` while nobody does.
    package var leader: UInt32?
    package var term: UInt64
    package var nodes: [Node]
}
