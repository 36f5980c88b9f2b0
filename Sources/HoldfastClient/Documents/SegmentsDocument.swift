import LogModel

/// What a node has of the log's files, and how far it is committed: `GET /v1/segments`.
package struct SegmentsDocument: Hashable, Sendable, Codable {
    package var node: UInt32
    package var cluster: String
    package var generation: UInt32
    package var term: UInt64
    package var firstSegment: UInt32
    package var firstIndex: UInt64
    /// Nothing behind it is given away.
    package var commit: String
    package var lastIndex: UInt64
    /// From the first segment to the commit position.
    package var bytes: UInt64

    private enum CodingKeys: String, CodingKey {
        case node, cluster, generation, term, commit, bytes
        case firstSegment = "first_segment"
        case firstIndex = "first_index"
        case lastIndex = "last_index"
    }

    package init(
        node: UInt32, cluster: String, generation: UInt32, term: UInt64, firstSegment: UInt32, firstIndex: UInt64,
        commit: String, lastIndex: UInt64, bytes: UInt64
    ) {
        self.node = node
        self.cluster = cluster
        self.generation = generation
        self.term = term
        self.firstSegment = firstSegment
        self.firstIndex = firstIndex
        self.commit = commit
        self.lastIndex = lastIndex
        self.bytes = bytes
    }
}
