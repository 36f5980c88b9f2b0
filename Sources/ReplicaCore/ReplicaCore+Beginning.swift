import LogModel
import WireFormat

/// A follower whose log ends before the leader's begins: it takes a copy of the leader's first segment for its log.
///
///     welcomed --> TRIMMED --> fetch --> fetched --> beginAnew: the log is given up, the node starts from the copy
///                                 '----> confirmed by another leader meanwhile: the copy is dropped
///
/// Nothing that counted for a commit is lost. When the leader says TRIMMED, all that is committed and that this node
/// holds lies before that segment; and from then on this node vouches for nothing until it begins anew. As soon as a
/// stream confirms its log after all, the copy must not replace it any more.
extension ReplicaCore {
    // MARK: The leader's side

    mutating func tellTrimmed(_ node: NodeID, on stream: StreamID) {
        self.followers[node]?.ended(.fetching(stream))
        let first = Position(segment: self.segments.first, offset: 0)
        self.actions.append(.tellTrimmed(first: first, on: stream, to: node))
    }

    // MARK: The follower's side

    mutating func toldTrimmed(_ first: Position, on stream: StreamID) {
        guard let upstream = self.upstream, upstream.stream == stream else {
            return self.actions.append(.closeUpstream(stream))
        }
        guard self.raft.leader == upstream.leader.node, !upstream.isConfirmed, self.commit < first else {
            return self.refuse(.mismatch(at: self.chain.point), on: stream)
        }
        // One that is under way does as well, whoever it comes from: it is whole and committed.
        guard self.fetched == nil else { return }
        self.fetched = first.segment
        self.actions.append(.note(.fellBehind(tail: self.chain.tail, leadersFirst: first.segment)))
        self.actions.append(.fetch(first.segment, from: upstream.leader.node))
    }

    mutating func fetched(_ segment: SegmentID) {
        guard self.fetched == segment else { return }
        self.actions.append(.beginAnew(segment))
    }

    /// From now on this node vouches for its log again: beginning anew would forget that.
    mutating func dropFetch() {
        guard self.fetched != nil else { return }
        self.fetched = nil
        self.actions.append(.dropFetch)
    }

    /// The stream goes as well: the leader opens another one, and says again where its log begins.
    mutating func fetchFailed(_ segment: SegmentID) {
        guard self.fetched == segment else { return }
        self.fetched = nil
        guard let upstream = self.upstream else { return }
        self.upstream = nil
        self.actions.append(.closeUpstream(upstream.stream))
    }
}
