import LogModel

/// Whether requests should come here.
///
///     recovered  the log is taken up, and the cluster formed
///     leader     one is known
///     commit     a quorum has just confirmed what is committed: proven by a round, not remembered
///     lag        this node holds all of that
///     serving    it was not told to stop
///     disk       there is room for the next segment
///     vote       its promises count: nothing damaged or lost keeps it from voting
struct Readiness {
    static let names = ["recovered", "leader", "commit", "lag", "serving", "disk", "vote"]

    let node: any AdminNode
    let proof: CommitProof

    func report() async -> HealthReport {
        let status = await self.node.status(eventsAfter: nil)
        let proof = await self.proof.outcome()
        return HealthReport([
            Self.recovered(status), Self.leader(status), Self.commit(proof), Self.lag(proof, status),
            Self.serving(status), Self.disk(status), Self.vote(status),
        ])
    }

    private static func recovered(_ status: NodeStatus) -> HealthCheck {
        switch status.cluster.role {
        case "forming": .failed("recovered", "blank: waits for the cluster to form, or to be added to it")
        case "stopped": .failed("recovered", "the log is closed")
        default: .ok("recovered", "the log ends at \(status.cluster.tail)")
        }
    }

    private static func leader(_ status: NodeStatus) -> HealthCheck {
        guard let leader = status.cluster.leader else {
            return .failed("leader", "none is known in term \(status.cluster.term)")
        }
        return .ok("leader", "node \(leader) in term \(status.cluster.term)")
    }

    private static func commit(_ proof: CommitProof.Outcome) -> HealthCheck {
        switch proof.result {
        case .success(let next):
            .ok("commit", "a quorum confirmed index \(next.rawValue - 1) in \(proof.milliseconds) ms")
        case .failure(let silence): .failed("commit", silence.reason)
        }
    }

    private static func lag(_ proof: CommitProof.Outcome, _ status: NodeStatus) -> HealthCheck {
        guard case .success(let next) = proof.result else { return .failed("lag", "unknown without a proven commit") }
        guard proof.isLevel else {
            let missing = next.rawValue - min(next.rawValue, status.cluster.lastIndex + 1)
            let behind = "\(missing) records behind, \(AdminLimits.proofMilliseconds) ms after they were committed"
            return .failed("lag", behind + Self.cause(status))
        }
        return .ok("lag", "holds all that is committed")
    }

    /// Why this node stays behind, where it knows.
    private static func cause(_ status: NodeStatus) -> String {
        for node in status.cluster.nodes {
            guard let version = node.laterFormat else { continue }
            return "; node \(node.node) ships segments of format version \(version), which this release cannot read: "
                + "run that node's release here, too"
        }
        return ""
    }

    private static func serving(_ status: NodeStatus) -> HealthCheck {
        status.isDraining ? .failed("serving", "the node is stopping") : .ok("serving", "takes requests")
    }

    private static func disk(_ status: NodeStatus) -> HealthCheck {
        let free = status.disk.freeBytes.map { "\($0) bytes are free" } ?? "the file system does not say what is free"
        return status.disk.isFull
            ? .failed("disk", "no room for more of the log: \(free); trim the log or make room") : .ok("disk", free)
    }

    private static func vote(_ status: NodeStatus) -> HealthCheck {
        if let retired = status.cluster.retired { return .failed("vote", retired) }
        let damaged = status.cluster.health?.damagedSegments ?? []
        if status.cluster.health?.mayVote == false {
            return .failed("vote", "does not vote until it holds again what is committed; damaged segments: \(damaged)")
        }
        return .ok("vote", damaged.isEmpty ? "the log is whole" : "votes, while segments \(damaged) are repaired")
    }
}
