import LogModel

/// How far each voter vouches for a leader's log, as commits count it: the leader itself by its own disk, the others by
/// what they have acknowledged.
package struct Vouchers: Hashable, Sendable {
    /// One for each voter, in no order.
    private let positions: [Position]

    package init(_ positions: [Position]) {
        self.positions = positions
    }

    /// Of both halves of a joint membership, once each.
    package var voterCount: Int { self.positions.count }

    /// How many of them vouch for everything before `end`.
    package func count(through end: Position) -> Int { self.positions.count { $0 >= end } }

    package func areAll(through end: Position) -> Bool { self.count(through: end) == self.voterCount }
}

extension RaftCore {
    /// Nobody, unless this node leads.
    package var vouchers: Vouchers {
        guard self.role == .leader else { return Vouchers([]) }
        return Vouchers(self.membership.voting.map { self.vouchedPosition(of: $0) })
    }

    /// What counts as persisted at this node is the shell's to say: under `received`, what was written.
    func vouchedPosition(of member: Member) -> Position {
        if member == self.configuration.member {
            return self.configuration.planted == .countOwnUnsynced ? self.tail.position : self.persisted.position
        }
        let known = self.progress[member]
        let point = self.configuration.commitRule == .persisted ? known?.persisted : known?.received
        return point?.position ?? .zero
    }
}
