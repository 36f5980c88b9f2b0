import LogModel
import RaftCore
import WireFormat

/// Work for the disk, done strictly in the order given.
package enum DiskJob: Sendable {
    /// Whole frames of one segment; from offset 0 the segment's header comes first. What the disk reports of the
    /// log's end names the generation: how many truncations went before.
    case write(Bytes, at: Position, generation: UInt64)
    /// Everything from here on goes; the log then ends at the point.
    case truncate(to: LogPoint, generation: UInt64)
    /// Segments before the position go: a committed frame says so. Doing it again changes nothing.
    case trim(before: Position)
    case persistVote(HardState)
    /// A hint for recovery; needs no sync of its own.
    case recordCommit(Position)
    /// The log is whole again: the next start may vote.
    case liftBar
    /// So that the next process knows them; one of a full disk may not.
    case rememberStarts([StartSighting])
    /// This incarnation neither votes nor counts any more, also after a restart.
    case retire(Retirement)
}

/// What the shell has to do now, in this order.
package enum ReplicaAction: Sendable {
    case disk(DiskJob)
    case answer(id: UInt64, Result<AppendOutcome, AppendFailure>)
    /// Who leads now.
    case transferred(id: UInt64, Result<NodeID, TransferFailure>)
    /// The membership once the change is committed, of which further steps may follow by themselves.
    case membershipAnswered(id: UInt64, Result<Membership, MembershipFailure>)
    /// Where the log begins now.
    case trimmed(id: UInt64, Result<TrimOutcome, TrimFailure>)
    case send(RaftMessage, to: Member)
    /// Tell a peer who this is, before anything else.
    case greet(NodeID)
    /// Nothing that this peer says counts; tell it why.
    case refuse(PeerRefusal, Member)

    // Leader's side.
    case openStream(StreamID, to: NodeID, ReplicateHello)
    case closeStream(StreamID, to: NodeID)
    /// `encode`: the body is raw and may be compressed on its way.
    case ship(RangeMessage, on: StreamID, to: NodeID)
    /// Read whole frames of one segment from the files and answer with `loaded`.
    case load(to: NodeID, stream: StreamID, from: Position, through: Position, byteCountMax: Int)
    /// What the follower needs is gone: the log begins here.
    case tellTrimmed(first: Position, on: StreamID, to: NodeID)

    // Follower's side.
    case welcome(ReplicateWelcome, on: StreamID)
    case acknowledge(AckMessage, on: StreamID)
    case closeUpstream(StreamID)
    /// Make a copy of the leader's first segment beside the log, and answer with `fetched`.
    case fetch(SegmentID, from: NodeID)
    /// The copy is not wanted any more: this log goes on after all.
    case dropFetch
    /// Give the log up for the copy and start again from it. The last action of a core: nothing is asked of it any more.
    case beginAnew(SegmentID)

    // Repair.
    /// Make a copy of a sealed segment beside the damaged one, and answer with `copyFetched`.
    case fetchCopy(of: SegmentID, from: NodeID)
    /// Put the copy into the place of the segment's file.
    case installCopy(of: SegmentID)

    /// The newest membership in the log, committed or not.
    case membershipChanged(Membership)

    // For readers and people.
    case committed(through: Position, nextIndex: LogIndex)
    case readReady(id: UInt64, nextIndex: LogIndex)
    case readRefused(id: UInt64)
    case roleChanged(RaftRole, term: Term, leader: NodeID?)
    case note(ReplicaNote)
}

/// What is worth a line in the log.
package enum ReplicaNote: Hashable, Sendable {
    case truncated(to: LogPoint, from: Position)
    case trimmed(before: SegmentID)
    /// The leader has trimmed what this log lacks.
    case fellBehind(tail: Position, leadersFirst: SegmentID)
    /// The leader ended a segment before it was full, since only ended ones are repaired.
    case endedDamaged(SegmentID)
    /// A good copy has taken the place of a damaged segment.
    case repaired(SegmentID)
    /// The log is whole again, and this node votes.
    case regainedVote
    case followerLevel(NodeID, through: Position)
    case streamRefused(by: NodeID, StreamRefusal)
    case refusedRange(from: NodeID, String)
    /// The leader ships segments of a later format than this build reads: nothing of them is taken. Once, until it is over.
    case laterFormat(from: NodeID, version: UInt16)
    /// A peer has shown that this node's promises are not known to it.
    case retired(Retirement, by: NodeID)
}
