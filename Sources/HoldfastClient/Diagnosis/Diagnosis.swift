/// What is seen of a cluster, and what follows: from statuses to findings, without asking anybody anything.
package enum Diagnosis {
    /// Everything that is not as it should be, or that all is well.
    package static func all(_ sight: ClusterSight) -> [Finding] {
        guard let leader = sight.leader else { return self.noLeader(sight) }
        var findings = sight.nodes.flatMap { self.troubles(of: $0, in: sight) }
        findings += self.proof(of: leader).filter(\.trouble)
        findings += sight.nodes.compactMap { node in
            guard node.canVote || node.standing == .learner else { return nil }
            return self.distance(of: node, in: sight)
        }.filter(\.trouble)
        if sight.electorates.count > 1 {
            findings.append(
                .fact(
                    .membersChanging, nil,
                    "the voters are being changed: majorities of the old and the new ones are needed"))
        }
        guard findings.contains(where: \.trouble) else {
            let reserve = self.reserve(sight).map { "; \($0)" } ?? ""
            return findings + [
                .fact(.well, leader.node, "all is well: n\(leader.node) leads in term \(leader.term)\(reserve)")
            ]
        }
        return findings + self.majority(sight)
    }

    /// Why nobody leads; or who does.
    package static func noLeader(_ sight: ClusterSight) -> [Finding] {
        if let leader = sight.leader {
            return [.fact(.leader, leader.node, "n\(leader.node) leads in term \(leader.term)")]
                + self.proof(of: leader)
        }
        guard sight.isAnybodyThere else {
            return [.trouble(.noLeader, nil, "nobody answers")]
                + sight.nodes.flatMap { self.troubles(of: $0, in: sight) }
        }
        let troubles = sight.nodes.flatMap { self.troubles(of: $0, in: sight) }
        guard sight.hasFormed else {
            let missing = sight.nodes.filter { $0.status == nil }.map(\.name)
            let text =
                missing.isEmpty
                ? "the cluster is about to form: all of its nodes are there, and blank"
                : "the cluster has not formed: its nodes are blank and wait until all are there; "
                    + "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") missing"
            return [.trouble(.notFormed, nil, text)] + troubles.filter { $0.code != .nodeBlank }
        }
        return [.trouble(.noLeader, nil, "nobody leads")] + troubles + self.votes(sight) + self.majority(sight)
    }

    // MARK: One node

    /// Why a node does not do its part.
    static func troubles(of node: ClusterSight.Node, in sight: ClusterSight) -> [Finding] {
        let number = node.number
        guard let status = node.status else { return [self.silence(of: node, in: sight)] }
        if node.isBlank, sight.hasFormed {
            return [
                .trouble(
                    .nodeBlank, number,
                    "\(node.name) has an empty data directory: what it had promised is gone, so it has no vote",
                    next: "holdfast member replace \(status.node)")
            ]
        }
        if let retired = status.retired {
            return [.trouble(.nodeRetired, number, "\(node.name) neither votes nor counts any more: \(retired)")]
        }
        var findings: [Finding] = []
        if let health = status.health, !health.damagedSegments.isEmpty {
            let names = health.damagedSegments.map { "\($0)" }.joined(separator: ", ")
            findings.append(
                .trouble(
                    .damaged, number, "\(node.name) has damage in segment \(names), which its peers are asked to repair"
                ))
        }
        if let health = status.health, !health.mayVote, !node.isBlank {
            findings.append(
                .trouble(
                    .mayNotVote, number,
                    "\(node.name) may not vote: it lost a part of its log, and has to get it again from a leader"))
        }
        if status.isDiskFull == true { findings.append(self.fullDisk(of: node, in: sight)) }
        if let version = node.otherProtocol, let witness = sight.witness {
            findings.append(
                .trouble(
                    .otherProtocol, number,
                    "\(node.name) speaks version \(version) of the peer protocol, which n\(witness) does not: neither hears "
                        + "the other, and the vote of \(node.name) does not count",
                    next: "run releases that share a version on both"))
        }
        findings += self.laterFormats(of: node, in: sight)
        return findings + self.disconnections(of: node, in: sight)
    }

    /// What the leader ships, and a node of an earlier release cannot read: it stays behind, however long one waits.
    private static func laterFormats(of node: ClusterSight.Node, in sight: ClusterSight) -> [Finding] {
        (node.status?.nodes ?? []).compactMap { other in
            // Of one that leads no more it says nothing about what comes.
            guard let version = other.laterFormat, sight.leader.map({ $0.node == other.node }) ?? true else {
                return nil
            }
            return .trouble(
                .laterFormat, node.number,
                "\(node.name) cannot take what n\(other.node) ships as the leader: segments of format \(version), which its "
                    + "release does not read; it stays behind",
                next: "run the release of n\(other.node) on \(node.name), too")
        }
    }

    private static func fullDisk(of node: ClusterSight.Node, in sight: ClusterSight) -> Finding {
        let cure = "make room on it, or trim what is not needed (holdfast trim --before INDEX)"
        guard let leader = sight.leader, leader.node == node.number else {
            return .trouble(
                .diskFull, node.number,
                "\(node.name)'s disk is full: it keeps nothing more of the log before there is room, and falls behind",
                next: cure)
        }
        let hasHeir = sight.nodes.contains {
            $0.number != leader.node && $0.standing != .learner && $0.canVote && $0.status?.isDiskFull != true
        }
        return .trouble(
            .diskFull, node.number,
            "\(node.name)'s disk is full, and it leads: appends are refused (NO_SPACE) before there is room",
            next: cure + (hasHeir ? "; meanwhile another node can lead (holdfast transfer-leader)" : ""))
    }

    private static func silence(of node: ClusterSight.Node, in sight: ClusterSight) -> Finding {
        let isConnected = sight.progress(of: node.number)?.isConnected ?? false
        switch node.silence {
        case .hangs:
            let seen = isConnected ? ", and the leader has a connection to it, too" : ""
            return .trouble(
                .nodeHangs, node.number,
                "\(node.name) takes connections at \(node.client) and does not answer\(seen): it is paused, or very busy",
                next: "let its process go on (SIGCONT), or look at its machine")
        case .unreachable(let reason):
            let seen = isConnected ? "; the leader has a connection to it, so it runs" : ""
            let who = node.number == nil ? "nothing answers" : "\(node.name) cannot be reached"
            return .trouble(
                .nodeUnreachable, node.number, "\(who) at \(node.client): \(reason)\(seen)",
                next: isConnected ? "make its client address reachable from here" : "start it, or mend its network")
        case .denied(let code, let detail): return self.denial(of: node, code, detail)
        case .untrusted(let refusal):
            return .trouble(
                .untrusted, node.number, "no secure connection to \(node.place): \(refusal)", next: refusal.remedy)
        case .noClientPort(let what):
            return .trouble(
                .wrongPort, node.number, what,
                next: "name client listeners with --server, 7400 unless listen.client says otherwise")
        case .unintelligible, nil:
            return .trouble(
                .nodeUnreachable, node.number, "\(node.name): what answers at \(node.client) is no node of this cluster"
            )
        }
    }

    /// Nodes that answer here and have no connection to each other.
    private static func disconnections(of node: ClusterSight.Node, in sight: ClusterSight) -> [Finding] {
        guard let status = node.status, sight.leader == nil || sight.leader?.node == status.node else { return [] }
        return status.nodes.compactMap { other in
            guard other.node != status.node, other.isConnected == false, sight.node(other.node)?.canVote ?? false else {
                return nil
            }
            return .trouble(
                .notConnected, other.node,
                "\(node.name) has no connection to n\(other.node) at \(other.peer), though both answer here",
                next: "mend the network between them")
        }
    }

    private static func proof(of leader: ClusterStatus) -> [Finding] {
        guard !leader.isReady else {
            return [.fact(.leader, leader.node, "it has committed in its term: a majority follows it")]
        }
        return [
            .trouble(
                .leaderUnproven, leader.node,
                "n\(leader.node) leads in term \(leader.term), and has committed nothing in it yet: a majority has to "
                    + "acknowledge the beginning of its term first")
        ]
    }

    // MARK: Votes

    private static func votes(_ sight: ClusterSight) -> [Finding] {
        sight.nodes.compactMap { node in
            guard let status = node.status, node.canVote else { return nil }
            let vote = status.votedFor.map { $0 == status.node ? "itself" : "n\($0)" } ?? "nobody"
            return .fact(
                .vote, node.number,
                "\(node.name) is \(status.role) in term \(status.term) and voted for \(vote); its log ends at \(status.tail)"
            )
        }
    }

    /// How many votes there are, and how many it takes.
    static func majority(_ sight: ClusterSight) -> [Finding] {
        sight.electorates.filter { !$0.isEmpty }.map { voters in
            let able = voters.filter(\.canVote)
            let unable = voters.filter { !$0.canVote }
            let needed = voters.count / 2 + 1
            let count = "\(able.count) of \(voters.count) voters are there (\(self.list(able))), \(needed) are needed"
            guard able.count >= needed else {
                return .trouble(
                    .quorumMissing, nil,
                    "\(count): nothing is elected and nothing is committed until \(needed - able.count) more of "
                        + "\(self.list(unable)) \(needed - able.count == 1 ? "is" : "are") back")
            }
            if sight.leader == nil {
                return .fact(
                    .quorum, nil,
                    "\(count): they can elect a leader; if they can reach each other, that takes about a second. Look again"
                )
            }
            let spare = able.count - needed
            return .fact(.quorum, nil, count + (spare == 0 ? ": with one less, nothing is acknowledged" : ""))
        }
    }

    private static func reserve(_ sight: ClusterSight) -> String? {
        guard let voters = sight.electorates.last, sight.electorates.count == 1, !voters.isEmpty else { return nil }
        let spare = voters.count - (voters.count / 2 + 1)
        guard voters.count > 1 else { return "it is alone, and no loss can be borne" }
        return
            "all \(voters.count) voters are there, and \(spare == 0 ? "no loss can be borne" : "any \(spare) may be lost")"
    }

    static func list(_ nodes: [ClusterSight.Node]) -> String {
        nodes.isEmpty ? "none" : nodes.map(\.name).joined(separator: ", ")
    }
}
