import LogModel
import RaftCore
import ReplicaCore

/// Something that happened to a node and that people want to see on a time line.
package struct NodeEvent: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The process has taken up its log.
        case started(tail: Position, mayVote: Bool)
        case roleChanged(RaftRole, term: Term, leader: NodeID?)
        /// A new segment is the active one.
        case rotated(to: SegmentID)
        case damageFound(SegmentID)
        case membershipChanged(Membership)
        case peerConnected(NodeID)
        case peerDisconnected(NodeID)
        /// The process of the peer is gone.
        case peerDied(NodeID)
        case diskFilled
        case diskHasRoom
        case transferred(Result<NodeID, TransferFailure>)
        /// What the core found worth a line: trims, truncations, repairs, a regained vote, ...
        case noted(ReplicaNote)
    }

    /// From 1, without gaps, since the process started.
    package var number: UInt64
    package var time: Timestamp
    package var kind: Kind
}
