import LogModel
import RaftCore

extension ReplicaCore {
    /// A leader that has committed in its own term, or a follower that its leader has confirmed.
    package var isReady: Bool {
        switch self.raft.role {
        case .leader: self.history.current.terms.starts.last.map { $0.position < self.commit } ?? false
        case .follower: self.upstream?.isConfirmed ?? false
        default: false
        }
    }

    /// Where the newest terms of this log begin, ascending.
    package var termStarts: [TermStart] { self.history.current.terms.starts }

    /// The segment format's version that a leader ships and this build does not read.
    package func laterFormat(of node: NodeID) -> UInt16? {
        guard self.raft.role != .leader, let found = self.laterFormat, found.leader == node else { return nil }
        return found.version
    }

    /// Whether a write, or the next segment, waits for room.
    package var waitsForRoom: Bool { self.diskRoom != .enough }

    /// The damaged segment that a good copy is fetched for or installed.
    package var repairing: SegmentID? {
        switch self.repairs.phase {
        case .idle: nil
        case .fetching(let segment), .installing(let segment): segment
        }
    }

    /// Of the log, what a follower is not known to have on its disk; `nil` where this node does not lead.
    package func missingByteCount(of node: NodeID) -> UInt64? {
        guard self.raft.role == .leader, let follower = self.followers[node] else { return nil }
        return self.segments.byteCount(from: follower.persisted.position, to: self.chain.tail)
    }
}
