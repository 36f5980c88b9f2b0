extension Diagnosis {
    /// Whether a record is committed, and why not.
    package static func index(_ index: UInt64, _ sight: ClusterSight) -> [Finding] {
        guard let leader = sight.leader else {
            return [
                .trouble(
                    .noLeader, nil,
                    "nobody leads: nothing is committed now, and what is not committed may yet be replaced")
            ] + self.holders(of: index, sight) + [.fact(.unknown, nil, "why nobody leads: holdfast explain no-leader")]
        }
        let name = "n\(leader.node)"
        if index < leader.firstIndex {
            return [
                .fact(
                    .trimmed, leader.node, "record \(index) is trimmed: \(name)'s log begins with \(leader.firstIndex)")
            ]
        }
        if index <= leader.lastIndex {
            let later = sight.nodes.filter { $0.status.map { $0.lastIndex < index } ?? false }
            return [.fact(.committed, nil, "record \(index) is committed: a majority has it, and it stays")]
                + later.compactMap { node in
                    node.status.map {
                        .fact(
                            .lacks, node.number,
                            "\(node.name) does not show it yet: it shows records through \($0.lastIndex)")
                    }
                } + sight.nodes.filter { $0.status == nil }.flatMap { self.troubles(of: $0, in: sight) }
        }
        guard let tail = leader.tailIndex else {
            return [
                .trouble(.unknown, leader.node, "\(name) does not tell where its log ends: it is of an older version")
            ]
        }
        if index > tail {
            return [
                .fact(
                    .notAppended, leader.node,
                    "record \(index) is not appended yet: the next one that \(name) takes becomes \(tail + 1)")
            ]
        }
        return [
            .trouble(
                .uncommitted, nil,
                "record \(index) stands in \(name)'s log, and is not committed: it shows through \(leader.lastIndex)")
        ] + self.holders(of: index, sight) + sight.nodes.flatMap { self.troubles(of: $0, in: sight) }
            + self.majority(sight)
    }

    /// Who has it in its log, committed or not.
    private static func holders(of index: UInt64, _ sight: ClusterSight) -> [Finding] {
        sight.nodes.compactMap { node in
            guard let status = node.status, let tail = status.tailIndex else { return nil }
            guard tail >= index else {
                return .fact(.lacks, node.number, "\(node.name) lacks it: its log ends with record \(tail)")
            }
            let persisted = sight.progress(of: node.number)?.persisted
            let acknowledged = persisted.map { "; it has acknowledged the log through \($0)" } ?? ""
            return .fact(.holds, node.number, "\(node.name) has a record \(index)\(acknowledged)")
        }
    }
}
