import LogModel

/// What an exhaustive search needs: cores that branch, and states that can be told apart.
///
/// A core has one owner while it runs. Only a search, which tries every input on the same state, takes copies.
extension RaftCore {
    /// A second core in the same state.
    package init(copying other: borrowing RaftCore) {
        self.configuration = other.configuration
        self.membership = other.membership
        self.role = other.role
        self.right = other.right
        self.vouched = other.vouched
        self.unreadable = other.unreadable
        self.isRetired = other.isRetired
        self.commit = other.commit
        self.persisted = other.persisted
        self.hardState = other.hardState
        self.persistedHardState = other.persistedHardState
        self.requestedHardState = other.requestedHardState
        self.held = other.held
        self.history = other.history
        self.confirmed = other.confirmed
        self.leaderCommit = other.leaderCommit
        self.streamedCommit = other.streamedCommit
        self.leaderMember = other.leaderMember
        self.leaderHeard = other.leaderHeard
        self.electionDeadline = other.electionDeadline
        self.fastUntil = other.fastUntil
        self.lostNode = other.lostNode
        self.grants = other.grants
        self.refusals = other.refusals
        self.relay = other.relay
        self.progress = other.progress
        self.heartbeatDeadline = other.heartbeatDeadline
        self.reads = other.reads
        self.transfer = other.transfer
        self.now = other.now
        self.random = other.random
        self.effects = other.effects
    }

    /// The latest time that it was told.
    package var time: MonotonicTime { self.now }

    package var fingerprint: RaftFingerprint {
        RaftFingerprint(
            role: self.role, right: self.right, isRetired: self.isRetired, unreadable: self.unreadable,
            membership: self.membership, commit: self.commit,
            persisted: self.persisted, hardState: self.hardState, persistedHardState: self.persistedHardState,
            held: self.held.map { .init(message: $0.message, destination: $0.destination) }, history: self.history,
            confirmed: self.confirmed, leaderCommit: self.leaderCommit,
            streamedCommit: self.right == .held ? .zero : self.streamedCommit, leader: self.leaderMember,
            grants: self.grants,
            progress: self.progress.mapValues {
                .init(received: $0.received, persisted: $0.persisted, readRound: $0.readRound)
            },
            transferTarget: self.transfer?.target, isTransferSent: self.transfer?.isSent ?? false,
            readRound: self.reads.latest, reads: self.reads.rounds.map(\.reads) + [self.reads.waiting],
            relayed: self.relay.answered.map(\.reads) + [self.relay.asked, self.relay.waiting])
    }
}

/// All of a core's state but its times and what only moves them, such as refused votes.
///
/// Cores with equal fingerprints answer equal inputs alike if the same of their timers have run out.
package struct RaftFingerprint: Hashable, Sendable {
    struct Held: Hashable {
        var message: RaftMessage
        var destination: Member
    }

    struct Known: Hashable {
        var received: LogPoint
        var persisted: LogPoint
        var readRound: UInt64
    }

    let role: RaftRole
    let right: VotingRight
    let isRetired: Bool
    let unreadable: Position
    let membership: Membership
    let commit: Position
    let persisted: LogPoint
    let hardState: HardState
    let persistedHardState: HardState
    let held: [Held]
    let history: TermHistory
    let confirmed: LogPoint
    let leaderCommit: Position
    /// Matters only to a node that is to regain its vote.
    let streamedCommit: Position
    let leader: Member?
    let grants: Set<Member>
    let progress: [Member: Known]
    let transferTarget: Member?
    let isTransferSent: Bool
    let readRound: UInt64
    let reads: [[ReadRounds.Reader]]
    let relayed: [[UInt64]]
}
