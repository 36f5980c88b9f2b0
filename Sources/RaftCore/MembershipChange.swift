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
        guard !self.voters.contains(learner.member) else { return nil }
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
            addresses: self.addresses.merging([node: address]) { $1 })
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
            addresses: self.addresses)
    }

    private func removing(_ node: NodeID) throws(MembershipRefusal) -> Membership? {
        let learners = self.learners.filter { $0.member.node != node && $0.replaces != node }
        let voters = self.voters.filter { $0.node != node }
        guard voters.count < self.voters.count || learners.count < self.learners.count else { return nil }
        guard !self.isJoint else { throw .isUnderWay }
        guard !voters.isEmpty else { throw .lastVoter }
        let isVoter = voters.count < self.voters.count
        return Membership(
            voters: voters, outgoing: isVoter ? self.voters : [], learners: learners, addresses: self.addresses)
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
            addresses: self.addresses)
    }

    /// What follows a joint membership once it is committed.
    package var completed: Membership {
        Membership(voters: self.voters, learners: self.learners, addresses: self.addresses)
    }
}
