import Foundation
import Glibc
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    @Suite struct PauseTests {
        /// The longest time for which a follower waits for a silent leader, by default.
        static let electionTimeoutSeconds = 0.6

        @Test func `A leader that hangs is replaced, and follows when it wakes up without having told old news`()
            async throws
        {
            try await TestCluster.with { cluster in
                let (old, oldTerm) = try await cluster.leader()
                // Clients that know the leader, and will go on asking it.
                let reader = HoldfastClient(servers: [old.client], timeoutMilliseconds: 15_000)
                let stubborn = try await Load.clients(3, thatKnow: old)
                var paused = Date()
                var newTerm: UInt64 = 0
                let history = try await Load.run(on: cluster) { history in
                    try await history.untilAcknowledged(30)
                    paused = Date()
                    try cluster.signal(SIGSTOP, old)
                    newTerm = try await cluster.leader(among: cluster.others(than: old), after: oldTerm).term
                    try await history.untilAcknowledged(60)

                    // These wait in the sockets of the sleeper: it finds them before it hears of another leader.
                    let before = Ports.unread(at: old.client.port)
                    async let late: Void = Load.append("late", by: stubborn)
                    async let first = Self.tails(reader, at: old, after: history, count: 20)
                    try await eventually(
                        "requests to wait at \(old.name)", within: 5,
                        state: { "\(Ports.unread(at: old.client.port)), before \(before)" }
                    ) {
                        let unread = Ports.unread(at: old.client.port)
                        return unread.count { $0.value > before[$0.key, default: 0] } > stubborn.count
                    }
                    try cluster.signal(SIGCONT, old)
                    let asleep = try await first
                    try await late
                    try await eventually("\(old.name) to follow", state: { await cluster.described() }) {
                        guard let status = await cluster.status(old) else { return false }
                        return status.role == "follower" && status.term >= newTerm && status.leader != old.number
                    }
                    let after = try await Self.tails(reader, at: old, after: history, count: 5)
                    #expect(!after.isEmpty, "nothing could be read through \(old.name)")
                    for tail in asleep + after {
                        #expect(
                            tail.last >= tail.acknowledged,
                            "\(old.name) said that the log ends at \(tail.last), and \(tail.acknowledged) was acknowledged"
                        )
                    }
                    try await history.untilAcknowledged(30)
                    try await cluster.untilCaughtUp(old)
                }
                for client in stubborn { await client.shutdown() }
                await reader.shutdown()
                let others = (1...stubborn.count).flatMap { ["early \($0)", "late \($0)"] }
                let log = try await cluster.expectSoundness(history, others: Set(others))
                #expect(log.contains { $0.term.rawValue == newTerm })
                let elected = try await Self.timeOfElection(newTerm, in: cluster)
                let seconds = elected.timeIntervalSince(paused)
                // Two election timeouts, and something for a busy machine.
                #expect(seconds < 2 * Self.electionTimeoutSeconds + 1.3, "led after \(seconds) s")
            }
        }

        @Test func `A follower that hangs holds nobody up and is level after it wakes up`() async throws {
            try await TestCluster.with { cluster in
                let history = try await Load.run(on: cluster) { history in
                    let (leader, term) = try await cluster.leader()
                    let follower = cluster.others(than: leader)[0]
                    try await cluster.control("pause", follower.name)
                    try await history.untilAcknowledged(150)
                    try await cluster.control("resume", follower.name)
                    try await cluster.untilCaughtUp(follower)
                    let now = try await cluster.leader()
                    #expect(now == (leader, term), "a sleeper that wakes up deposes nobody: \(now)")
                }
                try await cluster.expectSoundness(history)
            }
        }

        /// What a linearizable read says, beside what had been acknowledged before it began.
        private struct Tail: Sendable {
            var acknowledged: UInt64
            var last: UInt64
        }

        /// Linearizable reads at one node, all at once; those that were refused are left out.
        private static func tails(
            _ client: HoldfastClient, at node: TestCluster.Node, after history: History, count: Int
        ) async throws -> [Tail] {
            await withTaskGroup(of: Tail?.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        let acknowledged = history.lastIndex
                        let page = try? await client.read(from: .last(1), limit: 1, at: node.client)
                        return page.map { Tail(acknowledged: acknowledged, last: $0.next.rawValue - 1) }
                    }
                }
                return await group.reduce(into: []) { all, tail in tail.map { all.append($0) } }
            }
        }

        /// When a term began, by the first frame of that term in a stopped cluster's files.
        private static func timeOfElection(_ term: UInt64, in cluster: TestCluster) async throws -> Date {
            struct Frame: Decodable {
                var kind: String
                var term: UInt64
                var timestamp: String
            }
            for name in try cluster.segments(of: cluster.nodes[0]) {
                let file = "\(cluster.nodes[0].dataDirectory)/\(name)"
                let answer = try await Program.run(["inspect", "segment", file, "-o", "json"])
                try #require(answer.status == 0, "\(answer.summary)")
                guard let frame = try answer.jsonLines(Frame.self).first(where: { $0.term == term }) else { continue }
                #expect(frame.kind == "termStart")
                let whole = try Date.ISO8601FormatStyle(includingFractionalSeconds: true)
                    .parse(String(frame.timestamp.prefix(23)) + "Z")
                return whole
            }
            throw Late(what: "a frame of term \(term)", state: "there is none")
        }
    }
}
