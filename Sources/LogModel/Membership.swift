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

/// Who votes. Kept sorted by node, so that equal memberships are equal values and equal bytes.
package struct Membership: Hashable, Sendable {
    package private(set) var voters: [Member]

    package init(voters: [Member] = []) {
        self.voters = voters.sorted()
    }

    package var quorum: Int { self.voters.count / 2 + 1 }

    package func contains(_ member: Member) -> Bool { self.voters.contains(member) }

    package func member(_ node: NodeID) -> Member? { self.voters.first { $0.node == node } }
}
