import LogModel

/// Who is asked, and who decides, as the newest membership in the log has it (Raft §6).
extension RaftCore {
    var isVoter: Bool { self.membership.isVoter(self.configuration.member) }

    /// A voter; and a node that the newest membership leaves out, while that may not be committed: it may be the only one
    /// that has it, and then nobody else can be elected. Its own vote does not count (dissertation §4.2.2).
    var mayCampaign: Bool {
        guard self.mayVote else { return false }
        return self.isVoter
            || !self.membership.contains(self.configuration.member) && self.commit < self.tail.position
    }

    /// Whose majorities count.
    var deciding: Membership {
        guard self.configuration.planted == .ignoreOutgoing else { return self.membership }
        return Membership(voters: self.membership.voters)
    }

    var isQuorumAlone: Bool { self.deciding.hasQuorum { $0 == self.configuration.member } }

    /// Each other node once, by node: of two incarnations of one the newer, which is where its messages go.
    var others: [Member] {
        self.membership.nodes.subtracting([self.configuration.member.node]).sorted().compactMap(self.membership.member)
    }

    /// Progress of new members begins at nothing; every incarnation is judged by its own.
    mutating func followMembers() {
        let known = self.progress
        self.progress = [:]
        for member in self.membership.members where member != self.configuration.member {
            self.progress[member] = known[member] ?? Progress(heard: self.now)
        }
    }

    mutating func membershipChanged(_ membership: Membership) {
        self.membership = membership
        self.held.removeAll { if case .voteReply = $0.message { false } else { !membership.contains($0.destination) } }
        guard self.role == .leader else {
            // Votes of former members must not count.
            if self.role != .follower { self.follow(nil, in: self.term) }
            return
        }
        // It leads on when it is leaving, until that is committed, and does not count itself (dissertation §4.2.2).
        self.followMembers()
        if let target = self.transfer?.target, !membership.voters.contains(target) { self.abandonTransfer() }
        self.advanceCommit()
    }
}
