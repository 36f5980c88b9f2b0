import LogModel
import WireFormat

/// Leadership on its way to another node.
struct Transfer {
    var target: Member
    /// When this node goes on leading instead.
    var deadline: MonotonicTime
    /// The target has been told.
    var isSent = false
}

/// Handing over leadership (dissertation §3.10).
///
///     transferAsked -> the shell holds appends -> all committed, the target level -> transferRequest -> it campaigns
///
/// The target asks for votes without asking whether it could win: its log is the leader's. Until a higher term is seen
/// this node leads as before, so that a target that does not answer costs nothing but the pause.
extension RaftCore {
    /// The shell places no frames meanwhile.
    package var isTransferring: Bool { self.transfer != nil }
    package var transferTarget: NodeID? { self.transfer?.target.node }

    mutating func transferAsked(to node: NodeID?) {
        guard self.role == .leader, self.transfer == nil, let target = self.target(of: node) else {
            self.effects.append(.transferFailed)
            return
        }
        let timeout = self.configuration.electionTimeoutMilliseconds.upperBound
        self.transfer = Transfer(target: target, deadline: self.now.advanced(byMilliseconds: timeout))
        self.sendTransferIfLevel()
    }

    /// Of the followers that were heard within an election timeout the one that is furthest.
    private func target(of node: NodeID?) -> Member? {
        let timeout = self.configuration.electionTimeoutMilliseconds.lowerBound
        return self.others.filter { member in
            guard self.membership.voters.contains(member), node == nil || member.node == node,
                let known = self.progress[member]
            else { return false }
            return self.now.milliseconds(since: known.heard) < timeout
        }.max { (self.progress[$0]?.received.position ?? .zero) < (self.progress[$1]?.received.position ?? .zero) }
    }

    /// Tells the target once nothing is left that it lacks, nor anything that waits for a commit.
    mutating func sendTransferIfLevel() {
        guard let transfer = self.transfer, !transfer.isSent, self.commit == self.tail.position,
            self.progress[transfer.target]?.received == self.tail
        else { return }
        self.transfer?.isSent = true
        self.send(
            .transferRequest(TransferRequest(term: self.term, leader: self.configuration.member)), to: transfer.target)
    }

    mutating func abandonTransfer() {
        self.transfer = nil
        self.effects.append(.transferFailed)
    }

    mutating func received(_ request: TransferRequest) {
        guard request.term == self.term, self.role == .follower, self.leaderMember == request.leader,
            self.isVoter, self.mayVote
        else { return }
        self.follow(nil, in: self.term)
        // Should votes be lost, the next round does not wait for a timeout.
        self.fastUntil = self.now.advanced(byMilliseconds: self.configuration.electionTimeoutMilliseconds.upperBound)
        self.campaign(isTransfer: true)
    }
}
