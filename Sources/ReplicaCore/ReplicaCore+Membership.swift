import LogModel
import LogState
import RaftCore
import SegmentFormat

/// Why a change of members was not made.
package enum MembershipFailure: Error, Hashable, Sendable {
    /// Ask the leader. Not applied.
    case notLeader(leader: NodeID?)
    case refused(MembershipRefusal)
    /// No quorum answered in time, or another node leads now. May still be applied; asking again is safe.
    case unknownOutcome
}

/// A leader's changes of members, each one a frame that must be committed before the next.
struct MembershipWork {
    /// How fast a learner comes level: what the log held when a round began is there when it ends (dissertation §4.2.1).
    struct Round {
        var target: Position
        var began: MonotonicTime
        var isLevel = false
    }

    /// The end of the newest membership frame, and of all that this leader found.
    var end = Position.zero
    /// Whoever asked: for a frame, or for what is so already.
    var requests = PendingRequests()
    var rounds: [Member: Round] = [:]
}

/// Members change while the cluster runs: the newest membership in the log applies, committed or not.
///
///     asked --> frame: learner --committed--> level --> frame: joint --committed--> frame: voters only --> committed
///                                                        (also at once, to remove a voter)
///
/// Every step follows from the log alone, so that whoever leads goes on where the leader before it stopped.
extension ReplicaCore {
    mutating func membershipAsked(_ id: UInt64, _ change: MembershipChange) {
        guard self.raft.role == .leader else {
            return self.answer(id, .failure(.notLeader(leader: self.knownLeader)))
        }
        do throws(MembershipRefusal) {
            guard self.membership.requests.count < self.configuration.limits.pendingRequestCountMax else {
                throw .isUnderWay
            }
            if case .add(let learner, _) = change, learner.member.node == self.configuration.member.node,
                learner.member != self.configuration.member
            {
                throw .leads(learner.member.node)
            }
            guard let next = try self.history.current.membership.applying(change) else {
                // So it is, or will be: the frame that says it may still be lost.
                return self.await(id, end: self.membership.end > self.commit ? self.membership.end : nil)
            }
            guard next.fits else { throw .tooManyMembers }
            guard self.mayChangeMembership else { throw .isUnderWay }
            self.place(next)
            self.await(id, end: self.membership.end)
        } catch {
            self.answer(id, .failure(.refused(error)))
        }
    }

    /// - Parameter end: Of the frame that has to be committed; `nil` for the proof that this node still leads.
    private mutating func await(_ id: UInt64, end: Position?) {
        self.membership.requests.add(id, end: end, until: self.commitDeadline)
        if end == nil { self.consensus(.readAsked(id: id)) }
    }

    private mutating func answer(_ id: UInt64, _ result: Result<Membership, MembershipFailure>) {
        self.actions.append(.membershipAnswered(id: id, result))
    }

    /// A quorum has confirmed this leader, or nobody could.
    ///
    /// - Returns: Whether it was asked about the membership.
    mutating func membershipConfirmed(_ id: UInt64, isLeader: Bool) -> Bool {
        guard self.membership.requests.confirmed(id) else { return false }
        let failure = MembershipFailure.notLeader(leader: self.knownLeader)
        self.answer(id, isLeader ? .success(self.history.current.membership) : .failure(failure))
        return true
    }

    /// One change after the other, and none before this leader has committed in its own term.
    private var mayChangeMembership: Bool {
        self.raft.role == .leader && self.handover == nil && self.raft.hasCommittedInTerm
            && self.membership.end <= self.commit
    }

    private mutating func place(_ membership: Membership) {
        self.placeControl(.control(.membership, payload: membership.encoded()))
        self.membership.end = self.chain.tail
        self.shipToAll()
    }

    /// Takes the next step of a change, when it is time.
    mutating func driveMembership() {
        guard self.mayChangeMembership else { return }
        let membership = self.history.current.membership
        self.measureLearners(of: membership)
        if membership.isJoint {
            self.place(membership.completed)
        } else if !membership.isVoter(self.configuration.member) {
            self.leave()
        } else if let next = membership.promoting(where: { self.membership.rounds[$0]?.isLevel == true }), next.fits {
            self.place(next)
        }
    }

    mutating func learnerAcknowledged(_ member: Member) {
        guard self.history.current.membership.learners.contains(where: { $0.member == member }) else { return }
        self.driveMembership()
    }

    /// A learner is level when what it lacked came within an election timeout, and it was heard of since: what it had
    /// long ago says nothing.
    private mutating func measureLearners(of membership: Membership) {
        guard !membership.learners.isEmpty || !self.membership.rounds.isEmpty else { return }
        let wanted = membership.learners.filter(\.isPromoted).map(\.member)
        self.membership.rounds = self.membership.rounds.filter { wanted.contains($0.key) }
        for learner in membership.learners where learner.isPromoted {
            guard let matched = self.raft.matched(learner.member), let heard = self.raft.heard(learner.member) else {
                continue
            }
            let reached = self.configuration.policy == .os ? matched.received : matched.persisted
            guard let round = self.membership.rounds[learner.member] else {
                self.beginRound(learner.member)
                continue
            }
            guard !round.isLevel, reached.position >= round.target, heard > round.began else { continue }
            let taken = self.now.monotonic.milliseconds(since: round.began)
            if taken < self.configuration.raft.electionTimeoutMilliseconds.lowerBound {
                self.membership.rounds[learner.member]?.isLevel = true
            } else {
                self.beginRound(learner.member)
            }
        }
    }

    private mutating func beginRound(_ member: Member) {
        self.membership.rounds[member] = MembershipWork.Round(target: self.chain.tail, began: self.now.monotonic)
    }

    // MARK: What the log says

    /// Tells the core, and whoever keeps connections, when the newest membership in the log is another one.
    mutating func membershipMayHaveChanged() {
        let membership = self.history.current.membership
        guard membership != self.raft.membership else { return }
        self.consensus(.membershipChanged(membership))
        self.actions.append(.membershipChanged(membership))
        if self.raft.role == .leader { self.followMembers() }
    }

    /// New members get a stream; those who left keep theirs for a while, to hear that they have.
    mutating func followMembers() {
        let nodes = self.raft.membership.nodes
        for node in nodes where node != self.configuration.member.node {
            if self.followers[node] == nil {
                let isConnected = self.connected.contains(node)
                self.followers[node] = FollowerProgress(
                    phase: isConnected ? .idle(retryAt: self.now.monotonic) : .disconnected)
            }
            self.followers[node]?.leavesAt = nil
        }
        let pause = self.configuration.limits.leavingMilliseconds
        for node in self.followers.keys where !nodes.contains(node) && self.followers[node]?.leavesAt == nil {
            self.followers[node]?.leavesAt = self.now.monotonic.advanced(byMilliseconds: pause)
        }
    }

    // MARK: Waiting

    mutating func membershipCommitted() {
        for id in self.membership.requests.committed(through: self.commit) {
            self.answer(id, .success(self.history.current.membership))
        }
    }

    mutating func expireMembership() {
        for id in self.membership.requests.expired(at: self.now.monotonic) {
            self.answer(id, .failure(.unknownOutcome))
        }
    }

    /// Another node may lead, and the frames that were asked for may be gone.
    mutating func abandonMembership() {
        for id in self.membership.requests.removeAll() { self.answer(id, .failure(.unknownOutcome)) }
        self.membership.rounds = [:]
    }
}
