extension Diagnosis {
    /// How far the log could be trimmed, and what keeps it.
    ///
    /// - Parameter cursors: All of the log's; `nil` when they could not be read.
    package static func trim(_ sight: ClusterSight, cursors: [CursorDocument]?) -> [Finding] {
        guard let leader = sight.leader else {
            return [.trouble(.noLeader, nil, "nobody leads: nobody can decide to trim")]
                + [.fact(.unknown, nil, "why nobody leads: holdfast explain no-leader")]
        }
        var findings: [Finding] = [
            .fact(
                .trimmed, leader.node,
                "the log holds records \(leader.firstIndex) to \(leader.lastIndex), in segments up to "
                    + "\(leader.commit.prefix { $0 != ":" }); it goes in whole segments, and the newest sealed one stays"
            )
        ]
        guard let cursors else {
            return findings + [.trouble(.unknown, nil, "the cursors could not be read, so what they hold is not known")]
        }
        let holding = cursors.filter(\.hold).sorted { $0.index < $1.index }
        if let lowest = holding.first {
            let others = holding.count == 1 ? "" : ", the lowest of \(holding.count) that hold"
            findings.append(
                .fact(
                    .trimHeld, nil,
                    "the cursor \(lowest.name) holds everything from record \(lowest.index) on\(others): "
                        + "move it, or delete it (holdfast cursor delete \(lowest.name))"))
        }
        let damaged = leader.health?.damagedSegments ?? []
        if let first = damaged.min() {
            findings.append(
                .trouble(
                    .damaged, leader.node,
                    "n\(leader.node) has damage in segment \(first): nothing from there on is trimmed before it is repaired"
                ))
        }
        if holding.isEmpty, damaged.isEmpty {
            findings.append(
                .fact(.trimFree, nil, "no cursor holds anything: all before the newest sealed segment may go"))
        }
        findings += sight.nodes.filter { $0.status == nil }.map { node in
            .fact(
                .trimFree, node.number,
                "\(node.name) does not answer, and holds nothing up: what it misses of the beginning it skips")
        }
        return findings + self.majority(sight).filter(\.trouble)
    }
}
