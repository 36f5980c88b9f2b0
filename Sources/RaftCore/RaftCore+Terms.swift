import LogModel
import WireFormat

/// A message that waits until the term and vote it rests on are stored.
struct HeldMessage {
    var message: RaftMessage
    var destination: Member
}

/// Terms, the hard state, and what must wait for it.
///
///     step: term or vote changes -> persistVote(new) ; messages that rest on it are held
///     step: votePersisted(new)   -> the messages held, and the own vote counts
///
/// A change while a persist is under way supersedes it: only the answer to the last one releases anything. Messages
/// of an earlier term are dropped then; losing a message is always safe. At most one message of a kind is held for
/// each member.
extension RaftCore {
    mutating func send(_ message: RaftMessage, to destination: Member) {
        self.effects.append(.send(message, to: destination))
    }

    /// Moves to a state with a later term, or votes in this one.
    mutating func change(to state: HardState) {
        if state.term > self.term {
            self.held.removeAll()
            self.confirmed = .zero
            self.leaderCommit = .zero
            self.streamedCommit = .zero
        }
        self.hardState = state
        if self.configuration.planted == .voteNotPersisted {
            self.requestedHardState = state
            self.persistedHardState = state
        }
    }

    /// A higher term ends whatever this node was doing (Raft §5.1).
    mutating func sawTerm(_ term: Term) {
        guard term > self.term else { return }
        self.follow(nil, in: term)
    }

    /// Becomes, or stays, a follower. Says so only when the role, the term or the leader changes.
    mutating func follow(_ leader: Member?, in term: Term) {
        precondition(term >= self.term, "term \(term) is behind \(self.term)")
        guard self.role != .follower || term > self.term || leader != self.leaderMember else { return }
        if term > self.term { self.change(to: HardState(term: term, vote: nil)) }
        if self.role == .leader { self.leaveLeadership() }
        if leader != self.leaderMember || term > self.term { self.refuseRelayedReads() }
        self.held.removeAll { if case .voteRequest = $0.message { true } else { false } }
        self.role = .follower
        self.leaderMember = leader
        self.leaderHeard = nil
        self.grants = []
        self.refusals = []
        self.effects.append(.becameFollower(term: term, leader: leader?.node))
    }

    mutating func votePersisted(_ state: HardState) {
        precondition(
            state.term >= self.persistedHardState.term && state.term <= self.term,
            "term \(state.term) stored, behind \(self.persistedHardState.term) or before it was asked")
        self.persistedHardState = state
        guard state == self.hardState else { return }
        for waiting in self.held { self.send(waiting.message, to: waiting.destination) }
        self.held.removeAll()
        if self.role == .candidate { self.countOwnVote() }
    }

    /// Puts the persist first, and takes out of the step's effects what has to wait for it.
    mutating func takeEffects() -> [RaftEffect] {
        var taken: [RaftEffect] = []
        taken.reserveCapacity(self.effects.count + 1)
        if self.requestedHardState != self.hardState {
            self.requestedHardState = self.hardState
            taken.append(.persistVote(self.hardState))
        }
        let isPending = self.isVotePersistPending
        for effect in self.effects {
            if isPending, case .send(let message, let destination) = effect, message.restsOnHardState {
                self.hold(message, for: destination)
            } else {
                taken.append(effect)
            }
        }
        self.effects.removeAll(keepingCapacity: true)
        return taken
    }

    private mutating func hold(_ message: RaftMessage, for destination: Member) {
        self.held.removeAll { $0.destination == destination && message.replaces($0.message) }
        self.held.append(HeldMessage(message: message, destination: destination))
    }
}
