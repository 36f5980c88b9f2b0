import LogModel
import RaftCore

/// Why leadership stays where it is.
package enum TransferFailure: Error, Hashable, Sendable {
    /// This node does not lead.
    case notLeader(leader: NodeID?)
    /// Another one is under way.
    case isUnderWay
    /// No follower is there to take over, or it did not in time; this node may lead on.
    case failed
    case shuttingDown
}

/// Leadership on its way to another node.
struct Handover {
    /// Of whoever asked for it; `nil` for a leader that is no member any more.
    var id: UInt64?
    /// In which this node led.
    var term: Term
    /// When it counts as failed, whoever leads then.
    var deadline: MonotonicTime
    /// Who is to lead; not kept for a handover that was asked for.
    var target: NodeID?
}

/// Between two leaders nobody is refused: appends and reads that come meanwhile are held, and placed here or sent on as
/// soon as it is known who leads.
extension ReplicaCore {
    mutating func transferAsked(_ id: UInt64, to node: NodeID?) {
        guard self.raft.role == .leader else {
            return self.actions.append(.transferred(id: id, .failure(.notLeader(leader: self.knownLeader))))
        }
        guard node != self.configuration.member.node else {
            return self.actions.append(.transferred(id: id, .success(self.configuration.member.node)))
        }
        guard self.handover == nil else {
            return self.actions.append(.transferred(id: id, .failure(.isUnderWay)))
        }
        self.handover = Handover(id: id, term: self.raft.term, deadline: self.leaderWaitDeadline)
        self.consensus(.transferAsked(to: node))
    }

    /// Leads no longer than it is a member: hands over, or lets the others find a leader.
    mutating func leave() {
        self.handover = Handover(id: nil, term: self.raft.term, deadline: self.leaderWaitDeadline)
        self.consensus(.transferAsked(to: nil))
        self.handover?.target = self.raft.transferTarget
    }

    /// Who leads, as far as is known here: nobody tells a node that is no member any more, which goes by what it knew last.
    package var knownLeader: NodeID? { self.raft.leader ?? self.successor }

    /// A node that was removed remembers where to send those who ask.
    private mutating func rememberLeader() {
        if self.raft.leader != nil || self.raft.membership.contains(self.configuration.member) {
            self.successor = nil
        } else if let handover = self.handover, handover.id == nil {
            self.successor = handover.target
            self.handover = nil
        } else if let leader = self.lastRole.leader, leader != self.configuration.member.node {
            self.successor = leader
        }
    }

    /// Once for a leader to be elected, once for its first message.
    private var leaderWaitDeadline: MonotonicTime {
        self.now.monotonic.advanced(
            byMilliseconds: 2 * self.configuration.raft.electionTimeoutMilliseconds.upperBound)
    }

    private var isBetweenLeaders: Bool { self.handover != nil || self.knownLeader == nil }

    /// - Returns: Whether they are held.
    mutating func hold(_ proposals: [Proposal]) -> Bool {
        guard self.isBetweenLeaders else { return false }
        let limits = self.configuration.limits
        for proposal in proposals {
            if self.leaderWait.appendCount < limits.pendingAppendCountMax,
                self.leaderWait.byteCount < limits.uncommittedByteCountMax
            {
                self.leaderWait.add(proposal, until: self.leaderWaitDeadline)
            } else {
                self.actions.append(.answer(id: proposal.id, .failure(.busy)))
            }
        }
        return true
    }

    /// - Returns: Whether the read is held.
    mutating func hold(read id: UInt64) -> Bool {
        guard self.isBetweenLeaders,
            self.leaderWait.readCount < self.configuration.raft.limits.pendingReadCountMax
        else { return false }
        self.leaderWait.add(read: id, until: self.leaderWaitDeadline)
        return true
    }

    /// The role, the term or the leader is another one.
    mutating func leadershipMoved() {
        self.rememberLeader()
        guard let leader = self.knownLeader else { return }
        if let handover = self.handover {
            if leader != self.configuration.member.node {
                self.end(handover, .success(leader))
            } else if self.raft.term > handover.term {
                self.end(handover, .failure(.failed))
            }
        }
        if self.handover == nil { self.releaseAll() }
    }

    mutating func transferFailed() {
        guard let handover = self.handover, self.raft.role == .leader else { return }
        self.end(handover, .failure(.failed))
        self.releaseAll()
    }

    /// Lets go whoever has waited for long enough.
    mutating func expireLeaderWait() {
        if let handover = self.handover, self.now.monotonic >= handover.deadline {
            self.end(handover, .failure(.failed))
            if self.knownLeader != nil { self.releaseAll() }
        }
        guard !self.leaderWait.isEmpty else { return }
        let expired = self.leaderWait.takeExpired(at: self.now.monotonic)
        for proposal in expired.proposals {
            self.actions.append(.answer(id: proposal.id, .failure(.notLeader(leader: self.knownLeader))))
        }
        for read in expired.reads { self.actions.append(.readRefused(id: read)) }
    }

    private mutating func end(_ handover: Handover, _ result: Result<NodeID, TransferFailure>) {
        self.handover = nil
        guard let id = handover.id else {
            if case .failure = result { self.consensus(.resigned) }
            return
        }
        self.actions.append(.transferred(id: id, result))
    }

    /// Placed here, or refused with the name of who leads; reads ask whoever leads.
    private mutating func releaseAll() {
        guard !self.leaderWait.isEmpty else { return }
        let (proposals, reads) = self.leaderWait.takeAll()
        if !proposals.isEmpty { self.proposed(proposals) }
        for read in reads { self.consensus(.readAsked(id: read)) }
    }
}
