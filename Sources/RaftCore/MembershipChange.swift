import LogModel

/// What an operator asks of the membership; asking again for what is so already changes nothing.
package enum MembershipChange: Hashable, Sendable {
    /// A learner, found at an address.
    case add(Learner, at: MemberAddress)
    /// A learner becomes a voter as soon as it is level.
    case promote(NodeID)
    case remove(NodeID)
}

/// Why a membership stays as it is.
package enum MembershipRefusal: Error, Hashable, Sendable {
    /// Another change is not through yet.
    case isUnderWay
    case unknownNode(NodeID)
    /// A member of this number is of another incarnation, which has to be replaced.
    case otherIncarnation(Member)
    /// Nobody would be left to vote.
    case lastVoter
    /// The node leads: it has to hand over before another takes its number.
    case leads(NodeID)
    case tooManyMembers
}

/// The steps of a change: learners come and go at once, since they decide nothing; voters by way of a joint membership.
extension Membership {
    /// - Returns: The next membership; `nil` when it is so already.
    package func applying(_ change: MembershipChange) throws(MembershipRefusal) -> Membership? {
        switch change {
        case .add(let learner, let address): try self.adding(learner, at: address)
        case .promote(let node): try self.promoting(node)
        case .remove(let node): try self.removing(node)
        }
    }

    private func adding(_ learner: Learner, at address: MemberAddress) throws(MembershipRefusal) -> Membership? {
        if self.voters.contains(learner.member) { return try self.changing(learner, at: address) }
        let node = learner.member.node
        let isKnown = self.learners.contains(learner) && self.addresses[node] == address
        guard !isKnown else { return nil }
        guard !self.isJoint else { throw .isUnderWay }
        if let replaced = learner.replaces, !self.voters.contains(where: { $0.node == replaced }) {
            throw .unknownNode(replaced)
        }
        if let older = self.voters.first(where: { $0.node == node }), learner.replaces != node {
            throw .otherIncarnation(older)
        }
        return Membership(
            voters: self.voters, learners: self.learners.filter { $0.member.node != node } + [learner],
            addresses: self.addresses.merging([node: address]) { $1 }, recovery: self.recovery)
    }

    /// Of a node that votes already: its address, and whose place it takes.
    private func changing(_ voter: Learner, at address: MemberAddress) throws(MembershipRefusal) -> Membership? {
        let node = voter.member.node
        let leaving = self.voters.contains { $0.node == voter.replaces && $0 != voter.member }
        // A founder's address is known to the configuration only, and stays there as long as nobody says another.
        let isFound = self.addresses[node].map { $0 == address } ?? true
        guard leaving || !isFound else { return nil }
        guard !self.isJoint else { throw .isUnderWay }
        return Membership(
            voters: leaving ? self.voters.filter { $0.node != voter.replaces } : self.voters,
            outgoing: leaving ? self.voters : [], learners: self.learners,
            addresses: self.addresses.merging([node: address]) { $1 }, recovery: self.recovery)
    }

    private func promoting(_ node: NodeID) throws(MembershipRefusal) -> Membership? {
        guard var learner = self.learners.first(where: { $0.member.node == node }) else {
            guard self.voters.contains(where: { $0.node == node }) else { throw .unknownNode(node) }
            return nil
        }
        guard !learner.isPromoted else { return nil }
        guard !self.isJoint else { throw .isUnderWay }
        learner.isPromoted = true
        return Membership(
            voters: self.voters, learners: self.learners.filter { $0.member.node != node } + [learner],
            addresses: self.addresses, recovery: self.recovery)
    }

    private func removing(_ node: NodeID) throws(MembershipRefusal) -> Membership? {
        // Whoever was to take its place need not wait for that any more.
        let learners = self.learners.filter { $0.member.node != node }
            .map { Learner($0.member, isPromoted: $0.isPromoted, replaces: $0.replaces == node ? nil : $0.replaces) }
        let voters = self.voters.filter { $0.node != node }
        guard voters.count < self.voters.count || learners.count < self.learners.count else { return nil }
        guard !self.isJoint else { throw .isUnderWay }
        guard !voters.isEmpty else { throw .lastVoter }
        let isVoter = voters.count < self.voters.count
        return Membership(
            voters: voters, outgoing: isVoter ? self.voters : [], learners: learners, addresses: self.addresses,
            recovery: self.recovery)
    }

    /// The joint membership in which these learners vote, of those who are to; `nil` when there are none.
    package func promoting(where isLevel: (Member) -> Bool) -> Membership? {
        guard !self.isJoint else { return nil }
        let promoted = self.learners.filter { $0.isPromoted && isLevel($0.member) }
        guard !promoted.isEmpty else { return nil }
        let leaving = Set(promoted.map(\.member.node) + promoted.compactMap(\.replaces))
        return Membership(
            voters: self.voters.filter { !leaving.contains($0.node) } + promoted.map(\.member),
            outgoing: self.voters, learners: self.learners.filter { !promoted.contains($0) },
            addresses: self.addresses, recovery: self.recovery)
    }

    /// What follows a joint membership once it is committed.
    package var completed: Membership {
        Membership(
            voters: self.voters, learners: self.learners, addresses: self.addresses, recovery: self.recovery)
    }
}
