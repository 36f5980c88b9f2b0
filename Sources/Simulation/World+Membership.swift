import LogModel
import RaftCore
import ReplicaCore

/// Members come and go, and lose their disks, while everything else goes on.
///
/// At most one voter's disk is lost at a time, and the next one only when it has been replaced: more than that no
/// majority survives.
extension World {
    func node(_ id: NodeID) -> SimulatedNode { self.nodes[Int(id.rawValue) - 1] }

    /// Nodes that the newest committed membership names, in these incarnations.
    var members: [SimulatedNode] {
        guard let membership = self.oracle.membership else { return self.nodes.filter(\.isFounded) }
        return self.nodes.filter { membership.contains($0.member) }
    }

    /// All changes are through, and whoever lost its disk has been replaced.
    var isMembershipSettled: Bool {
        let membership = self.oracle.membership ?? Membership(voters: self.founders)
        return !membership.isJoint && membership.learners.isEmpty && !self.nodes.contains(where: \.isRestored)
            && membership.voters.allSatisfy { self.node($0.node).member == $0 }
    }

    func reconfigure() throws(Violation) {
        self.schedule(.reconfigure, after: self.microseconds(self.isHealing ? 20_000..<60_000 : 30_000..<600_000))
        let membership = self.oracle.membership ?? Membership(voters: self.founders)
        guard !membership.isJoint else { return }
        if let learner = membership.learners.first {
            let member = self.node(learner.member.node).member
            guard member != learner.member else { return }
            return try self.change(.add(Learner(member, replaces: learner.replaces), at: Self.address(member.node)))
        }
        self.retire(membership)
        if let restored = self.nodes.first(where: \.isRestored) { return self.replace(restored) }
        if let lost = membership.voters.first(where: { self.node($0.node).member != $0 }) {
            let member = self.node(lost.node).member
            return try self.change(.add(Learner(member, replaces: lost.node), at: Self.address(member.node)))
        }
        guard !self.isHealing else { return }
        if self.configuration.isRestoring {
            self.keepBackups()
            if self.chance(1, of: 2), self.restore() { return }
        }
        try self.reconfigure(membership)
    }

    private func reconfigure(_ membership: Membership) throws(Violation) {
        let voter = membership.voters[Int(self.random.next(in: 0..<UInt64(membership.voters.count)))].node
        let spare = self.nodes.first { !$0.isFounded && !$0.hasGivenUp }
        switch self.random.next(in: 0..<4) {
        case 0:
            guard let spare, membership.voters.count < 5 else { return }
            try self.change(.add(Learner(spare.member), at: Self.address(spare.member.node)))
        case 1:
            guard let spare else { return }
            try self.change(.add(Learner(spare.member, replaces: voter), at: Self.address(spare.member.node)))
        case 2:
            if membership.voters.count > 3 { try self.change(.remove(voter)) }
        default:
            if membership.voters.count > 2, self.damaged == nil, self.isPowerRestored {
                self.loseDisk(of: self.node(voter))
            }
        }
    }

    private static func address(_ node: NodeID) -> MemberAddress {
        MemberAddress(peer: "node\(node):1", client: "node\(node):2")
    }

    private func change(_ change: MembershipChange) throws(Violation) {
        guard let leader = self.nodes.first(where: { $0.isRunning && $0.role == .leader }) else { return }
        self.lastRequest += 1
        try self.step(leader, .membershipAsked(id: self.lastRequest, change))
    }

    /// Whoever was removed becomes a spare node again.
    private func retire(_ membership: Membership) {
        for node in self.nodes where node.isFounded && !membership.contains(node.member) {
            if membership.voters.contains(where: { $0.node == node.member.node }) { continue }
            // A frame that names it may still be committed.
            if self.nodes.contains(where: { $0 !== node && $0.membership?.contains(node.member) ?? false }) { continue }
            self.loseDisk(of: node)
        }
    }

    func loseDisk(of node: SimulatedNode) {
        if node.isRunning { self.crash(node, losesPower: false) }
        node.wipe(random: &self.random)
        if self.damaged == node.number { self.damaged = nil }
        if self.powerless?.node == node.number { self.powerless = nil }
        self.report.disksLost += 1
    }

    /// A blank node takes part as soon as it hears of a log that names it.
    func join() throws(Violation) {
        self.schedule(.join, after: self.microseconds(5_000..<60_000))
        for node in self.nodes where !node.isFounded {
            guard self.nodes.contains(where: { $0.membership?.contains(node.member) ?? false }) else { continue }
            do { try node.found(FoundingLog(members: self.founders), life: Life(self.random.next())) } catch {
                guard node.disk.refused.isEmpty else {
                    node.disk.killProcess()
                    continue
                }
                throw Violation(invariant: .recovers, detail: "node \(node.number) cannot join: \(error)")
            }
            try self.start(node)
        }
    }
}
