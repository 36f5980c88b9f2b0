import HoldfastClient
import LogModel
import Synchronization

/// Producers that never pause, a leader that keeps dying, and the check of what is left.
struct FailoverTest {
    /// Acknowledgements between two kills at least: the new leader has worked by then.
    private static let acknowledgementsPerRound = 100
    private static let patience = Duration.seconds(30)

    var cluster: LocalCluster
    var kills: Int
    /// Leaders hand over instead of being killed.
    var isHandover = false
    var producers: Int
    var console: Console

    func run() async throws -> FailoverReport {
        let history = AppendHistory(producers: self.producers)
        let client = self.cluster.client(timeoutMilliseconds: 30_000)
        let gaps = try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<self.producers {
                let producer = client.makeProducer()
                group.addTask { try await Self.produce(number, producer, history) }
            }
            defer { history.stop() }
            var gaps: [Double] = []
            for round in 0..<self.kills {
                let gap =
                    self.isHandover ? try await self.moveLeader(history, client) : try await self.killLeader(history)
                gaps.append(gap.milliseconds)
                self.console.progress(
                    "\(self.isHandover ? "handover" : "kill") \(round + 1) of \(self.kills): gap \(gaps[round].rounded(1)) ms, "
                        + "\(history.acknowledgedCount) acknowledged")
            }
            try await self.wait("acknowledgements") { [before = history.acknowledgedCount] in
                history.acknowledgedCount >= before + Self.acknowledgementsPerRound
            }
            history.stop()
            try await group.waitForAll()
            return gaps
        }
        self.console.endProgress()
        let report = try await self.check(history, gaps: gaps, client: client)
        await client.shutdown()
        return report
    }

    private static func produce(_ number: Int, _ producer: Producer, _ history: AppendHistory) async throws {
        var sequence = 0
        while !history.isStopped {
            sequence += 1
            do throws(ClientError) {
                let receipt = try await producer.append([Record("p\(number)-\(sequence)")]) { _ in history.retried() }
                history.acknowledged(number, sequence, receipt)
            } catch {
                switch error {
                case .outcomeUnknown: history.unknown(number, sequence)
                case .notByAll(let receipt): history.acknowledged(number, sequence, receipt)
                case .refused, .trimmed, .unreachable, .untrusted, .noClientPort, .ended:
                    history.refused(number, sequence)
                case .badAnswer: throw CommandFailure(error, isAppend: true)
                }
            }
        }
    }

    // MARK: Handing over

    /// - Returns: The time without acknowledgements, from the old leader's last to the new one's first.
    private func moveLeader(_ history: AppendHistory, _ client: HoldfastClient) async throws -> Duration {
        let before = history.acknowledgedCount
        try await self.wait("acknowledgements") {
            history.acknowledgedCount >= before + Self.acknowledgementsPerRound
        }
        let (leader, term) = try await self.cluster.leaderAndTerm()
        history.killing(leaderOf: term)
        do throws(ClientError) { _ = try await client.transferLeadership() } catch { throw CommandFailure(error) }
        try await self.wait("an acknowledgement after \(leader.name) handed over") { history.gap != nil }
        return history.gap ?? .zero
    }

    // MARK: Killing

    /// - Returns: The time without acknowledgements, from the killed leader's last to its successor's first.
    private func killLeader(_ history: AppendHistory) async throws -> Duration {
        let before = history.acknowledgedCount
        try await self.wait("acknowledgements") {
            history.acknowledgedCount >= before + Self.acknowledgementsPerRound
        }
        let (leader, term) = try await self.cluster.leaderAndTerm()
        history.killing(leaderOf: term)
        try await self.cluster.kill(leader)
        try await self.wait("an acknowledgement after \(leader.name) was killed") { history.gap != nil }
        let gap = history.gap ?? .zero
        try self.cluster.start(leader)
        try await self.waitUntilLevel(leader)
        return gap
    }

    /// Waits until a node has what the leader had committed when the wait began.
    private func waitUntilLevel(_ node: LocalCluster.Node) async throws {
        let client = self.cluster.client(timeoutMilliseconds: 10_000)
        var target: UInt64?
        try await self.wait("\(node.name) to catch up") {
            if target == nil {
                target = await ClusterProbe(client: client).look().leader?.lastIndex
            }
            guard let target, let status = try? await client.status(of: node.client) else { return false }
            return status.lastIndex >= target
        }
        await client.shutdown()
    }

    private func wait(_ what: String, until condition: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while await !condition() {
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(.refused, "waited \(Self.patience.seconds.rounded(0)) s in vain for \(what)")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    // MARK: Checking

    private func check(
        _ history: AppendHistory, gaps: [Double], client: HoldfastClient
    ) async throws -> FailoverReport {
        self.console.note("reading the whole log of every node")
        let log = try await self.log(client, of: nil)
        var differing = 0
        for node in self.cluster.nodes {
            try await self.waitUntilLevel(node)
            // It may have all of it, and not know yet that the last is committed.
            var own: [String] = []
            try await self.wait("\(node.name) to know what is committed") {
                own = (try? await self.log(client, of: node.client)) ?? []
                return own.count >= log.count
            }
            if own != log { differing += 1 }
        }
        let findings = history.compared(with: log)
        let sorted = gaps.sorted()
        return FailoverReport(
            kind: self.isHandover ? "handover" : "kill", tls: self.cluster.isSecure, kills: self.kills,
            retried: history.retryCount,
            acknowledged: history.acknowledgedCount, lost: findings.lost,
            duplicated: findings.duplicated, reordered: findings.reordered, foreign: findings.foreign,
            differing: differing, unknown: findings.unknown, gaps: gaps,
            median: sorted.isEmpty ? 0 : sorted[sorted.count / 2], worst: sorted.last ?? 0)
    }

    /// All values, in order.
    private func log(_ client: HoldfastClient, of server: ServerAddress?) async throws -> [String] {
        var values: [String] = []
        var next = LogIndex.first
        do throws(ClientError) {
            while true {
                let page = try await client.read(
                    from: .index(next), limit: 5_000, consistency: server == nil ? .linearizable : .committed,
                    at: server)
                values += page.records.map { String(decoding: $0.record.value, as: UTF8.self) }
                next = page.next
                if page.isUpToDate { return values }
            }
        } catch {
            throw CommandFailure(error)
        }
    }
}
