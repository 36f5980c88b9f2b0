import LogModel
import RaftCore
import SegmentFormat
import WireFormat

/// What a client asked for.
package struct Proposal: Sendable {
    /// Chosen by the shell; comes back with the answer.
    package var id: UInt64
    package var submission: Submission
    package var draft: FrameDraft { self.submission.draft }

    package init(id: UInt64, _ submission: Submission) {
        self.id = id
        self.submission = submission
    }
}

/// One `replicate` stream, named by the shell; a later stream of the same peer has a larger number.
package struct StreamID: Hashable, Comparable, Sendable {
    package var rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// What happened to a node.
package enum ReplicaEvent: Sendable {
    case ticked
    case proposed([Proposal])
    case readAsked(id: UInt64)
    /// Leadership is to go to this node, or to the follower that is furthest; answered with
    /// ``ReplicaAction/transferred(id:_:)``.
    case transferAsked(id: UInt64, to: NodeID?)
    /// Answered with ``ReplicaAction/membershipAnswered(id:_:)``.
    case membershipAsked(id: UInt64, MembershipChange)
    /// Records before the index are not needed any more; answered with ``ReplicaAction/trimmed(id:_:)``.
    case trimAsked(id: UInt64, before: LogIndex)

    // The disk, in the order of the jobs given to it.
    case written(through: LogPoint, generation: UInt64)
    case persisted(through: LogPoint, generation: UInt64)
    case votePersisted(HardState)
    /// Told when it changes; ``DiskRoom/enough`` at first.
    case diskRoom(DiskRoom)

    // Peers.
    case connected(to: NodeID)
    case disconnected(from: NodeID)
    /// The peer's process is gone: its connection reset, and a new one was refused.
    case died(NodeID)
    /// A peer says who it is.
    case met(MemberStart)
    case received(RaftMessage, from: MemberStart)
    /// A peer has nothing to do with this node.
    case refused(PeerRefusal, by: NodeID)

    // Leader's side of a `replicate` stream.
    case welcomed(ReplicateWelcome, from: MemberStart, on: StreamID, by: NodeID)
    case acknowledged(AckMessage, on: StreamID, by: NodeID)
    case streamClosed(StreamID, to: NodeID)
    /// The answer to ``ReplicaAction/load(to:stream:from:through:byteCountMax:)``.
    case loaded(bytes: Bytes, from: Position, to: NodeID, stream: StreamID)
    case loadFailed(to: NodeID, stream: StreamID)

    // Follower's side of a `replicate` stream.
    case greeted(ReplicateHello, from: MemberStart, on: StreamID)
    case upstreamClosed(StreamID)
    case shipped(RangeMessage, raw: Bytes, on: StreamID)
    /// The leader's log begins here, behind all that the two logs share.
    case toldTrimmed(first: Position, on: StreamID)
    /// The answer to ``ReplicaAction/fetch(_:from:)``: the copy is whole, checked and synced.
    case fetched(SegmentID)
    case fetchFailed(SegmentID)

    // Repair.
    /// Bytes of the segment cannot be read as they were written; the last of them lies before `end`.
    case damageFound(in: SegmentID, end: Position)
    /// The answer to ``ReplicaAction/fetchCopy(of:from:)``: the copy is whole, checked against its neighbours and synced.
    case copyFetched(SegmentID)
    /// The answer to ``ReplicaAction/installCopy(of:)``; of a damaged file, length and first index may not have been known.
    case copyInstalled(SegmentID, firstIndex: LogIndex, byteCount: UInt32)
    /// There is no copy, or it could not be installed.
    case repairFailed(SegmentID)
}
