import LogModel
import RaftCore
import WireFormat

/// Which process it is that speaks: votes and acknowledgements of a directory that was put back count for nothing.
///
///     put back: 17 starts instead of 19        a peer that saw 19
///         | greeting, vote, welcome, ...  ---->    | not taken
///         | <---- refusal(after: 19, life)         '
///         '--> retired: on the disk first, then neither votes nor leads, and says so
///
/// The refusal names what was seen, so that one on its way to an earlier process does not retire the one after it.
extension ReplicaCore {
    /// This node's own start, as peers are told.
    package var start: MemberStart {
        var start = self.configuration.start
        start.isRetired = self.retirement != nil
        return start
    }

    /// The latest starts that were seen, by member.
    package var sightings: [Member: StartSighting] { self.starts.sightings }

    /// Peers have nothing to do with this node, and it has nothing to do with them.
    var isOutcast: Bool { self.retirement != nil && self.retirement != .votesLost }

    /// Whether a message counts; tells the sender when it does not.
    mutating func admits(_ start: MemberStart) -> Bool {
        guard !self.isOutcast else { return false }
        guard start.generation == self.configuration.start.generation else {
            self.actions.append(.refuse(.otherGeneration(self.configuration.start.generation), start.member))
            return false
        }
        let membership = self.raft.membership
        switch self.starts.met(start, isNeeded: membership.contains) {
        case .known: return true
        case .new:
            self.actions.append(.disk(.rememberStarts(self.starts.remembered)))
            return true
        case .repeated(let seen):
            if self.configuration.raft.planted == .ignoreStarts { return true }
            self.actions.append(.refuse(.repeatedStart(after: seen), start.member))
            return false
        }
    }

    /// An incarnation without its votes may hear a leader that it has helped to depose: that it does proves neither that
    /// this one leads nor that a quorum still hears it.
    func provesNothing(_ message: RaftMessage, from start: MemberStart) -> Bool {
        guard start.isRetired else { return false }
        switch message {
        case .heartbeatReply, .voteReply: return true
        case .voteRequest, .heartbeat, .transferRequest, .readRequest, .readReply: return false
        }
    }

    mutating func refused(_ refusal: PeerRefusal, by node: NodeID) {
        switch refusal {
        case .repeatedStart(let seen):
            guard seen.member == self.configuration.member, !self.configuration.start.follows(seen) else { return }
            self.retire(.directoryRestored, by: node)
        case .otherGeneration(let generation):
            guard generation > self.configuration.start.generation else { return }
            self.retire(.clusterRecovered, by: node)
        }
    }

    /// Stored before anything else is, so that the next start knows.
    private mutating func retire(_ retirement: Retirement, by node: NodeID) {
        guard !self.isOutcast else { return }
        self.retirement = retirement
        self.actions.append(.disk(.retire(retirement)))
        self.actions.append(.note(.retired(retirement, by: node)))
        self.consensus(.retired)
        guard let upstream = self.upstream else { return }
        self.upstream = nil
        self.actions.append(.closeUpstream(upstream.stream))
    }
}
