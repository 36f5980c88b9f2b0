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
}
