/// One node of the cluster: votes and acknowledgements count only from this incarnation of it.
package struct Member: Hashable, Comparable, Sendable {
    package var node: NodeID
    package var incarnation: Incarnation
    package init(node: NodeID, incarnation: Incarnation) {
        self.node = node
        self.incarnation = incarnation
    }
    package static func < (a: Member, b: Member) -> Bool {
        a.node == b.node ? a.incarnation < b.incarnation : a.node < b.node
    }
}

/// Who receives the log, and who votes (Raft §6; dissertation §4).
///
///     voters {1 2 3}                                       a majority decides
///     voters {1 2 3}               learners {4}            4 receives the log, and decides nothing
///     voters {1 2 3 4}  outgoing {1 2 3}                   joint: a majority of each decides
///     voters {1 2 3 4}                                     changed
///
/// All parts are kept sorted by node, so that equal memberships are equal values and equal bytes.
package struct Membership: Hashable, Sendable {
    /// In a joint membership those of the one to come.
    package private(set) var voters: [Member]
    /// The voters before, while a change is under way; else empty.
    package private(set) var outgoing: [Member]
    package private(set) var learners: [Learner]
    /// Of the members that were added since the cluster was formed; the others are where the configuration says.
    package private(set) var addresses: [NodeID: MemberAddress]
    /// How the cluster went on without its majority, if it ever did; every later membership says so, too.
    package private(set) var recovery: QuorumRecovery?

    /// - Parameter addresses: Those of nodes that are in no part are dropped.
    package init(
        voters: [Member] = [], outgoing: [Member] = [], learners: [Learner] = [],
        addresses: [NodeID: MemberAddress] = [:], recovery: QuorumRecovery? = nil
    ) {
        self.voters = voters.sorted()
        self.outgoing = outgoing.sorted()
        self.learners = learners.sorted()
        self.addresses = addresses
        self.recovery = recovery
        let nodes = self.nodes
        if !addresses.isEmpty { self.addresses = addresses.filter { nodes.contains($0.key) } }
    }

    /// A change of voters is under way.
    package var isJoint: Bool { !self.outgoing.isEmpty }

    /// Everybody once, by node.
    package var members: [Member] {
        if self.outgoing.isEmpty, self.learners.isEmpty { return self.voters }
        return Set(self.voters + self.outgoing + self.learners.map(\.member)).sorted()
    }

    /// Whose votes and acknowledgements may count, once each, by node.
    package var voting: [Member] {
        self.outgoing.isEmpty ? self.voters : Set(self.voters + self.outgoing).sorted()
    }

    /// Each node once.
    package var nodes: Set<NodeID> { Set(self.members.map(\.node)) }

    /// Of two incarnations of a node the newer: a learner before a voter, a voter to come before one that leaves.
    package func member(_ node: NodeID) -> Member? {
        self.learners.first { $0.member.node == node }?.member ?? self.voters.first { $0.node == node }
            ?? self.outgoing.first { $0.node == node }
    }

    package func contains(_ member: Member) -> Bool {
        self.isVoter(member) || self.learners.contains { $0.member == member }
    }

    package func isVoter(_ member: Member) -> Bool {
        self.voters.contains(member) || self.outgoing.contains(member)
    }

    // MARK: Quorums

    /// Whether these are a majority, of both halves of a joint membership.
    package func hasQuorum(_ isAmong: (Member) -> Bool) -> Bool {
        Self.hasMajority(self.voters, isAmong) && (self.outgoing.isEmpty || Self.hasMajority(self.outgoing, isAmong))
    }

    private static func hasMajority(_ voters: [Member], _ isAmong: (Member) -> Bool) -> Bool {
        voters.count { isAmong($0) } > voters.count / 2
    }
}

/// An operator's decision to go on with what one node had (`holdfast recover-quorum`).
package struct QuorumRecovery: Hashable, Sendable {
    /// Of the cluster since; nodes of another one are refused.
    package var generation: UInt32
    /// Where that node's log ended.
    package var position: Position
    /// The index behind its last record: some before it may never have been committed, and some that were may be lost.
    package var nextIndex: LogIndex

    package init(generation: UInt32, position: Position, nextIndex: LogIndex) {
        self.generation = generation
        self.position = position
        self.nextIndex = nextIndex
    }
}

/// A member that receives the log and does not vote yet.
package struct Learner: Hashable, Comparable, Sendable {
    package var member: Member
    /// Becomes a voter as soon as it is level.
    package var isPromoted: Bool
    /// The voter that leaves then; its own older incarnation leaves anyway.
    package var replaces: NodeID?

    package init(_ member: Member, isPromoted: Bool = true, replaces: NodeID? = nil) {
        self.member = member
        self.isPromoted = isPromoted
        self.replaces = replaces
    }

    package static func < (a: Learner, b: Learner) -> Bool { a.member < b.member }
}

/// Where a member can be reached: `host:port` each.
package struct MemberAddress: Hashable, Sendable {
    package var peer: String
    package var client: String
    package init(peer: String, client: String) {
        self.peer = peer
        self.client = client
    }
}
