import Foundation
import Glibc
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    @Suite struct PauseTests {
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
                let history = try await Load.run(readers: 0, on: cluster) { history in
                    try await history.untilAcknowledged(30)
                    paused = Date()
                    try cluster.signal(SIGSTOP, old)
                    newTerm = try await cluster.leader(among: cluster.others(than: old), after: oldTerm).term
                    try await history.untilAcknowledged(60)

                    // These wait in the sockets of the sleeper: it finds them before it hears of another leader.
                    let before = Ports.unread(at: old.client.port)
                    async let late: Void = Load.append("late", by: stubborn)
                    async let first: Int = Load.read(old, 20, by: reader, into: history)
                    try await eventually(
                        "requests to wait at \(old.name)", within: 5,
                        state: { "\(Ports.unread(at: old.client.port)), before \(before)" }
                    ) {
                        let unread = Ports.unread(at: old.client.port)
                        return unread.count { $0.value > before[$0.key, default: 0] } > stubborn.count
                    }
                    try cluster.signal(SIGCONT, old)
                    _ = await first
                    try await late
                    try await eventually("\(old.name) to follow", state: { await cluster.described() }) {
                        guard let status = await cluster.status(old) else { return false }
                        return status.role == "follower" && status.term >= newTerm && status.leader != old.number
                    }
                    let count = await Load.read(old, 5, by: reader, into: history)
                    #expect(count > 0, "nothing could be read through \(old.name)")
                    try await history.untilAcknowledged(30)
                    try await cluster.untilCaughtUp(old)
                }
                for client in stubborn { await client.shutdown() }
                await reader.shutdown()
                let others = (1...stubborn.count).flatMap { ["early \($0)", "late \($0)"] }
                let log = try await cluster.expectSoundness(history, others: Set(others))
                #expect(log.contains { $0.term.rawValue == newTerm })
                let elected = try await cluster.timeOfElection(newTerm)
                let seconds = elected.timeIntervalSince(paused)
                // Two election timeouts, and something for a busy machine.
                #expect(seconds < 2 * TestCluster.electionTimeoutSeconds + 1.3, "led after \(seconds) s")
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
    }
}
