import HoldfastClient

/// Asks every node of a cluster about itself.
struct ClusterProbe: Sendable {
    private static let pauseMilliseconds: UInt64 = 25

    var client: HoldfastClient

    /// All nodes that the given servers name, and what each says of itself.
    func look() async -> ClusterPicture {
        ClusterPicture(answers: await self.client.survey().answers, servers: self.client.servers)
    }

    /// Where the leader's clients find it, as the nodes say now.
    ///
    /// - Throws: 69 when none of them knows.
    func leader() async throws(CommandFailure) -> ServerAddress {
        guard let leader = await self.look().leader?.leaderAddress else {
            if let denial = await self.client.denial() { throw CommandFailure(denial) }
            throw CommandFailure(.unreachable, "no leader is known", next: Invocation.clientCommand("status"))
        }
        return leader
    }

    /// Until one leads that has committed in its term.
    ///
    /// - Throws: 69 when the time is up; at once 77 when nobody answers and somebody does not let in, and 69 when all
    ///   servers are wrong ports.
    func waitForLeader(milliseconds: UInt64) async throws(CommandFailure) {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            let sight = await self.client.look()
            if let leader = sight.leader, leader.isReady { return }
            try Self.checkAccess(sight)
            guard ContinuousClock.now < deadline, !Task.isCancelled else { throw Self.leaderless(milliseconds) }
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }

    /// Until one leads and every voter answers, follows it, and has what was committed when the wait began.
    ///
    /// - Returns: What the voters lack when the time is up, in words; nothing when they are ready.
    /// - Throws: 69 when nobody leads then; else as ``waitForLeader(milliseconds:)``.
    func waitForVoters(milliseconds: UInt64) async throws(CommandFailure) -> [String] {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        var target: UInt64?
        while true {
            let sight = await self.client.look()
            let leader = sight.leader.flatMap { $0.isReady ? $0 : nil }
            if target == nil { target = leader?.lastIndex }
            let lacking = Diagnosis.unready(sight, since: target ?? 0)
            if lacking.isEmpty { return [] }
            try Self.checkAccess(sight)
            guard ContinuousClock.now < deadline, !Task.isCancelled else {
                guard leader != nil else { throw Self.leaderless(milliseconds) }
                return lacking
            }
            try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }

    /// - Throws: Why nobody may ask like this, however long one waits.
    private static func checkAccess(_ sight: ClusterSight) throws(CommandFailure) {
        guard let finding = Diagnosis.denial(sight) else { return }
        throw CommandFailure(ofAccess: finding, finding.text)
    }

    private static func leaderless(_ milliseconds: UInt64) -> CommandFailure {
        CommandFailure(
            .unreachable, "no leader within \(milliseconds) ms",
            next: "see the nodes' logs; a majority must run and reach each other")
    }
}
