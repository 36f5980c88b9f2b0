extension Diagnosis {
    /// What keeps the voters from bearing the next restart of one of them: each is to answer, to follow the leader in its term, to
    /// have its log whole, and to have all that was committed when the wait began. What is appended meanwhile does not count:
    /// under load there always is some of it on its way. Nodes that the leader does not list are no voters.
    ///
    /// - Parameters:
    ///   - target: The last index that was committed when the wait began.
    /// - Returns: In words; nothing when all are ready. Without a leader that has proven itself, that alone.
    package static func unready(_ sight: ClusterSight, since target: UInt64) -> [String] {
        guard let leader = sight.leader else { return ["nobody leads"] }
        guard leader.isReady else { return ["n\(leader.node) leads, and has not committed anything in its term yet"] }
        let voters = sight.nodes.filter { node in
            node.standing != .learner && leader.nodes.contains { $0.node == node.number }
        }
        let numbers = Set(voters.map(\.number))
        return voters.flatMap { voter in
            let troubles = self.troubles(of: voter, in: sight).filter { numbers.contains($0.node) }.map(\.text)
            return troubles.isEmpty ? self.distance(of: voter, from: leader, since: target, in: sight) : troubles
        }
    }

    /// What a voter lacks that answers, and with which nothing is wrong.
    private static func distance(
        of voter: ClusterSight.Node, from leader: ClusterStatus, since target: UInt64, in sight: ClusterSight
    ) -> [String] {
        guard let status = voter.status, status.node != leader.node else { return [] }
        guard status.term == leader.term, status.leader == leader.node, status.isReady else {
            return [
                "\(voter.name) does not follow n\(leader.node) in term \(leader.term) yet: it is in term \(status.term)"
            ]
        }
        guard status.lastIndex < target else { return [] }
        if let distance = self.distance(of: voter, in: sight), distance.trouble { return [distance.text] }
        return ["\(voter.name) is at record \(status.lastIndex), and has to reach \(target)"]
    }
}
