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

/// What waits while leadership goes to another node.
struct Handover {
    /// Of whoever asked for it.
    var id: UInt64
    /// In which this node led.
    var term: Term
    /// When those who wait are let go, whoever leads then.
    var deadline: MonotonicTime
    var proposals: [Proposal] = []
    var byteCount = 0
    /// Linearizable reads that were refused in between.
    var reads: [UInt64] = []
}

/// Handing over leadership without refusing anybody: appends that come meanwhile are held, and sent on to the next leader.
extension ReplicaCore {
    mutating func transferAsked(_ id: UInt64, to node: NodeID?) {
        guard self.raft.role == .leader else {
            return self.actions.append(.transferred(id: id, .failure(.notLeader(leader: self.raft.leader))))
        }
        guard self.handover == nil else {
            return self.actions.append(.transferred(id: id, .failure(.isUnderWay)))
        }
        // Once for the target to take over, once for its first message.
        let timeout = 2 * self.configuration.raft.electionTimeoutMilliseconds.upperBound
        self.handover = Handover(
            id: id, term: self.raft.term, deadline: self.now.monotonic.advanced(byMilliseconds: timeout))
        self.consensus(.transferAsked(to: node))
    }

    /// - Returns: Whether they are held, for as long as nobody knows who leads next.
    mutating func hold(_ proposals: [Proposal]) -> Bool {
        guard self.handover != nil else { return false }
        for proposal in proposals {
            let limits = self.configuration.limits
            guard let handover = self.handover, handover.proposals.count < limits.pendingAppendCountMax,
                handover.byteCount < limits.uncommittedByteCountMax
            else {
                self.actions.append(.answer(id: proposal.id, .failure(.busy)))
                continue
            }
            self.handover?.proposals.append(proposal)
            self.handover?.byteCount += proposal.draft.byteCount
        }
        return true
    }

    /// Somebody else leads, or this node again in a later term.
    mutating func leadershipMoved() {
        guard let handover = self.handover, let leader = self.raft.leader else { return }
        if leader != self.configuration.member.node {
            self.end(handover, .success(leader))
        } else if self.raft.term > handover.term {
            self.end(handover, .failure(.failed))
        }
    }

    mutating func transferFailed() {
        guard let handover = self.handover, self.raft.role == .leader else { return }
        self.end(handover, .failure(.failed))
    }

    mutating func endHandoverInTime() {
        guard let handover = self.handover, self.now.monotonic >= handover.deadline else { return }
        self.end(handover, .failure(.failed))
    }

    private mutating func end(_ handover: Handover, _ result: Result<NodeID, TransferFailure>) {
        self.handover = nil
        self.actions.append(.transferred(id: handover.id, result))
        // Placed here, or refused with the name of who leads now.
        self.proposed(handover.proposals)
        for read in handover.reads { self.actions.append(.readRefused(id: read)) }
    }
}
