import Foundation
import Glibc
import Testing

extension ClusterTests {
    @Suite struct QuorumTests {
        @Test func `Without a quorum an append is refused in time, and a quorum that is back takes it`() async throws {
            try await TestCluster.with { cluster in
                let history = History()
                #expect(try await Self.append("0-1-1", to: cluster, history).status == 0)
                let survivor = try await cluster.leader().node
                let dead = cluster.others(than: survivor)
                try await cluster.kill(dead)

                // While it still believes to lead it may take the append; then nobody knows its fate.
                let inDoubt = try await Self.append("0-2-1", to: cluster, history)
                #expect([69, 75].contains(inDoubt.status), "\(inDoubt.summary)")
                try await eventually("\(survivor.name) to step down", state: { await cluster.described() }) {
                    await cluster.status(survivor).map { $0.role != "leader" && $0.leader == nil } ?? false
                }
                let refused = try await Self.append("0-3-1", to: cluster, history)
                #expect(refused.status == 69, "\(refused.summary)")
                #expect(refused.errors.contains("no leader was reached"), "\(refused.summary)")
                #expect(refused.errors.contains("applied: no"), "\(refused.summary)")
                #expect(refused.errors.contains("next: "), "\(refused.summary)")
                try await Self.expectOnlyCommittedReads(of: survivor, in: cluster)

                try await cluster.start(dead[0])
                _ = try await cluster.leader(among: [survivor, dead[0]])
                #expect(try await Self.append("0-4-1", to: cluster, history).status == 0)
                try await cluster.start(dead[1])
                let log = try await cluster.expectSoundness(history)
                #expect(log.last?.text == "0-4-1")
            }
        }

        @Test func `A leader that nobody answers any more does not acknowledge`() async throws {
            try await TestCluster.with { cluster in
                let leader = try await cluster.leader().node
                let silent = cluster.others(than: leader)
                for node in silent { try cluster.signal(SIGSTOP, node) }
                let history = History()
                let answer = try await Self.append("0-1-1", to: cluster, history)
                #expect([69, 75].contains(answer.status), "\(answer.summary)")
                for node in silent { try cluster.signal(SIGCONT, node) }
                _ = try await cluster.leader()
                #expect(try await Self.append("0-2-1", to: cluster, history).status == 0)
                try await cluster.expectSoundness(history)
            }
        }

        /// Appends one line with a short patience, and remembers what was said about it.
        private static func append(
            _ line: String, to cluster: TestCluster, _ history: History
        ) async throws -> Program.Answer {
            struct Receipt: Decodable { var first: UInt64 }
            let began = ContinuousClock.now
            let answer = try await cluster.ask("append", "--timeout", "1500ms", "-o", "json", input: "\(line)\n")
            // The patience, a last attempt of a second, and something for a busy machine.
            #expect(answer.seconds < 8, "\(answer.summary)")
            switch answer.status {
            case 0: history.told([line], .acknowledged(first: try answer.json(Receipt.self).first), since: began)
            case 75:
                #expect(answer.errors.contains("applied: unknown"), "\(answer.summary)")
                history.told([line], .unknown, since: began)
            default:
                #expect(answer.errors.contains("applied: no"), "\(answer.summary)")
                history.told([line], .refused, since: began)
            }
            return answer
        }

        /// What a node without a quorum knows is committed can be read, when that is what was asked for.
        private static func expectOnlyCommittedReads(
            of survivor: TestCluster.Node, in cluster: TestCluster
        ) async throws {
            let linearizable = try await cluster.ask("read", "--timeout", "300ms", servers: [survivor.client])
            #expect(linearizable.status == 69, "\(linearizable.summary)")
            #expect(linearizable.output.isEmpty)
            let committed = try await cluster.ask(
                "read", "--consistency", "committed", servers: [survivor.client])
            #expect(committed.status == 0, "\(committed.summary)")
            #expect(committed.lines == ["0-1-1"])
            let status = try await cluster.ask("status")
            #expect(status.status == 69, "\(status.summary)")
            #expect(status.errors.contains("no leader is known"), "\(status.summary)")
        }
    }
}
