import LogModel

/// What a step may not take back.
struct RaftMarks {
    var hardState: HardState
    var persistedHardState: HardState
    var commit: Position
    var right: VotingRight
}

extension RaftCore {
    var marks: RaftMarks {
        RaftMarks(
            hardState: self.hardState, persistedHardState: self.persistedHardState, commit: self.commit,
            right: self.right)
    }

    /// Checks every invariant of the state; a broken one ends the process.
    package func validate() {
        self.history.validate()
        precondition(self.commit <= self.tail.position, "commit \(self.commit) behind the tail \(self.tail)")
        precondition(
            self.persisted.position <= self.tail.position, "persisted \(self.persisted) behind the tail \(self.tail)")
        precondition(
            self.confirmed.position <= self.tail.position, "confirmed \(self.confirmed) behind the tail \(self.tail)")
        precondition(self.tail.term <= self.term, "tail \(self.tail) of a term after \(self.term)")
        precondition(self.isVotePersistPending || self.held.isEmpty, "messages held with nothing to wait for")
        precondition(
            self.persistedHardState.term <= self.term, "stored term \(self.persistedHardState.term) > \(self.term)")
        if self.persistedHardState.term == self.term, let stored = self.persistedHardState.vote {
            precondition(stored == self.hardState.vote, "a stored vote changed in term \(self.term)")
        }
        self.validateRole()
    }

    private func validateRole() {
        let member = self.configuration.member
        switch self.role {
        case .follower:
            precondition(self.leaderMember != member, "follows itself")
        case .preCandidate:
            precondition(self.leaderMember == nil, "asks for pre-votes under a leader")
            precondition(!self.deciding.hasQuorum(self.grants.contains), "won the pre-vote and does not campaign")
        case .candidate:
            precondition(self.leaderMember == nil, "campaigns under a leader")
            precondition(self.hardState.vote == member, "campaigns without its own vote")
            precondition(!self.grants.contains(member) || !self.isVotePersistPending, "counts a vote not stored")
        case .leader:
            precondition(self.leaderMember == member, "leads under another leader")
            precondition(self.hardState.vote == member && !self.isVotePersistPending, "leads without a stored vote")
            for (follower, known) in self.progress { self.validate(known, of: follower) }
        }
        if self.role != .leader {
            precondition(
                self.progress.isEmpty && self.reads.count == 0 && self.transfer == nil, "a leader's state after its end"
            )
        }
        if self.role == .preCandidate || self.role == .candidate {
            precondition(self.mayVote, "campaigns without the right to vote")
            let others = self.grants.subtracting([self.configuration.member])
            precondition(others.isSubset(of: self.membership.voting), "votes of strangers counted")
        }
    }

    private func validate(_ known: Progress, of follower: Member) {
        precondition(known.persisted.position <= known.received.position, "\(follower.node) persisted more than it has")
        precondition(known.received.position <= self.tail.position, "\(follower.node) matches behind the tail")
        precondition(known.readRound <= self.reads.latest, "\(follower.node) answered a round that never began")
    }

    /// Checks what one step changed: terms, votes and commits never go back (Raft Figure 3).
    func validate(since before: RaftMarks) {
        precondition(self.term >= before.hardState.term, "term went back from \(before.hardState.term)")
        if self.term == before.hardState.term, let vote = before.hardState.vote {
            precondition(self.hardState.vote == vote, "vote changed in term \(self.term)")
        }
        precondition(self.persistedHardState.term >= before.persistedHardState.term, "stored term went back")
        precondition(self.commit >= before.commit, "commit went back from \(before.commit) to \(self.commit)")
        precondition(self.right == before.right || self.right == .held, "lost the right to vote while running")
        precondition(self.effects.isEmpty, "effects left behind")
    }
}
