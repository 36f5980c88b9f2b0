import HoldfastClient
import LogModel
import SegmentLog

/// Asking the nodes. Only one whose own process runs here is asked and believed: where another would listen, a node of
/// another cluster may.
extension LocalCluster {
    /// What each node says of itself now.
    func look() async -> LocalPicture {
        let client = self.client(timeoutMilliseconds: 1_000)
        let picture = await self.look(client)
        await client.shutdown()
        return picture
    }

    /// - Parameter client: Carries the questions; which servers it was given does not matter.
    func look(_ client: HoldfastClient) async -> LocalPicture {
        let answers = await withTaskGroup(of: (UInt32, ClusterStatus?).self) { group in
            for node in self.nodes {
                guard let process = self.process(node), !process.isPaused else { continue }
                group.addTask {
                    let status = try? await client.status(of: node.client)
                    return (node.number, process.isRunning && status?.node == node.number ? status : nil)
                }
            }
            return await group.reduce(into: [UInt32: ClusterStatus]()) { $0[$1.0] = $1.1 }
        }
        let leader = answers.values.filter { $0.role == "leader" }.max { $0.term < $1.term }
        let nodes = self.nodes.map { node in
            let process = self.process(node)
            return LocalPicture.Node(
                node: node, process: process, isPaused: process?.isPaused ?? false,
                isRemoved: self.isRemoved(node, leader), status: answers[node.number])
        }
        return LocalPicture(nodes: nodes, leader: leader)
    }

    func leader() async throws(CommandFailure) -> Node { try await self.leaderAndTerm().node }

    func leaderAndTerm() async throws(CommandFailure) -> (node: Node, term: Term) {
        let picture = await self.look()
        guard let leader = picture.leader, let node = self.nodes.first(where: { $0.number == leader.node }) else {
            throw CommandFailure(.unreachable, "no leader is known", next: self.command("status"))
        }
        return (node, Term(leader.term))
    }

    // MARK: Waiting

    /// Waits until a leader has committed in its term; notices a node that ends meanwhile.
    func waitForLeader(milliseconds: UInt64) async throws(CommandFailure) {
        let client = self.client(timeoutMilliseconds: 1_000)
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            let picture = await self.look(client)
            if let leader = picture.leader, leader.isReady { return await client.shutdown() }
            let ended = self.nodes.filter { self.process($0) == nil }
            if ended.count * 2 >= self.nodes.count {
                throw CommandFailure(
                    .unreachable,
                    "\(ended.map(\.name).joined(separator: ", ")) ended: " + (ended.first.map(self.lastWords) ?? ""),
                    next: "see \(self.run)/*.log")
            }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(.unreachable, "no leader within \(milliseconds) ms", next: "see \(self.run)/*.log")
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Waits until every node that runs answers, or the time is up.
    func waitForAnswers(until deadline: ContinuousClock.Instant) async -> LocalPicture {
        let client = self.client(timeoutMilliseconds: 1_000)
        var picture = await self.look(client)
        while picture.nodes.contains(where: { $0.absence == .silent }), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
            picture = await self.look(client)
        }
        await client.shutdown()
        return picture
    }

    // MARK: Who is no member any more

    /// What the leader says counts, and without one what it said last. A node whose directory has heard of no cluster
    /// was no member yet.
    private func isRemoved(_ node: Node, _ leader: ClusterStatus?) -> Bool {
        guard let leader else { return Files.exists(self.removedFile(node)) }
        let identity = Files.text("\(self.dataDirectory(node))/IDENTITY").flatMap {
            NodeIdentity(decoding: Array($0.utf8))
        }
        return identity?.cluster != nil && !leader.nodes.contains { $0.node == node.number }
    }

    /// Keeps it for times without a leader.
    func remember(_ picture: LocalPicture) throws(CommandFailure) {
        guard picture.leader != nil else { return }
        for node in picture.nodes {
            if node.isRemoved {
                try Files.write("", to: self.removedFile(node.node))
            } else {
                Files.remove(self.removedFile(node.node))
            }
        }
    }
}
