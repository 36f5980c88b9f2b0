import LogModel

/// What a source of a backup has, at the beginning of a run.
package struct BackupOutline: Hashable, Sendable {
    package var cluster: ClusterID
    /// Raised by each recovery of the quorum, which may give up records.
    package var generation: UInt32
    package var node: NodeID
    package var first: SegmentID
    /// Where the backup is to end, at least.
    package var commit: Position
    /// From the first segment to there.
    package var byteCount: Int

    package init(
        cluster: ClusterID, generation: UInt32, node: NodeID, first: SegmentID, commit: Position, byteCount: Int
    ) {
        self.cluster = cluster
        self.generation = generation
        self.node = node
        self.first = first
        self.commit = commit
        self.byteCount = byteCount
    }

    /// What several nodes of one cluster have together, and which of them may be asked for it.
    ///
    ///     newest generation  nodes of an earlier one may hold records that the cluster gave up: they are left out
    ///     lowest first       another node may have trimmed more
    ///     highest commit     the backup may have more already than one of them
    ///
    /// Equal positions hold equal bytes on all nodes of one generation, so that any of them can go on for another.
    ///
    /// - Parameter outlines: In the order of preference.
    /// - Returns: `nil` for none. The node and the byte count are those of the node that is committed furthest; `asked` are
    ///   the places of those that may be asked, ascending, and never empty.
    /// - Throws: ``BackupError/otherCluster(backup:source:)`` with the first node's cluster, and the first other one.
    package static func joined(
        _ outlines: [BackupOutline]
    ) throws(BackupError) -> (outline: BackupOutline, asked: [Int])? {
        guard let generation = outlines.map(\.generation).max() else { return nil }
        for other in outlines where other.cluster != outlines[0].cluster {
            throw .otherCluster(backup: outlines[0].cluster, source: other.cluster)
        }
        let asked = outlines.indices.filter { outlines[$0].generation == generation }
        var joined = outlines[asked[0]]
        for place in asked.dropFirst() {
            let first = min(joined.first, outlines[place].first)
            if outlines[place].commit > joined.commit { joined = outlines[place] }
            joined.first = first
        }
        return (joined, asked)
    }
}
