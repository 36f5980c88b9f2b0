import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// `holdfast explain` about clusters to which something happened.
    @Suite struct ExplainTests {
        private struct Explanation: Decodable {
            struct Finding: Decodable {
                var code: String
                var node: UInt32?
                var trouble: Bool
                var text: String
                var next: String?
            }
            var question: String
            var well: Bool
            var findings: [Finding]

            func has(_ code: String, _ node: UInt32? = nil) -> Bool {
                self.findings.contains { $0.code == code && (node == nil || $0.node == node) }
            }
        }

        private static func explain(
            _ arguments: String..., of cluster: TestCluster, exits status: Int32
        ) async throws -> Explanation {
            let servers = cluster.servers.map(\.description).joined(separator: ",")
            let answer = try await Program.run(["explain"] + arguments + ["-o", "json", "--server", servers])
            try #require(answer.status == status, "\(arguments): \(answer.summary)")
            return try answer.json(Explanation.self)
        }

        @Test func `A healthy cluster, one with a paused follower, and one without its majority are told apart`()
            async throws
        {
            try await TestCluster.with { cluster in
                try await cluster.append(["one", "two"])
                try await cluster.untilLevel()
                let leader = try await cluster.leader().node
                let followers = cluster.others(than: leader)
                let well = try await Self.explain(of: cluster, exits: 0)
                #expect(well.well && well.has("well", leader.number), "\(well)")
                #expect(try await Self.explain("lag", followers[0].name, of: cluster, exits: 0).has("level"))
                #expect(try await Self.explain("index", "2", of: cluster, exits: 0).has("committed"))
                #expect(try await Self.explain("index", "9", of: cluster, exits: 0).has("not_appended"))
                #expect(try await Self.explain("no-leader", of: cluster, exits: 0).has("leader", leader.number))

                try cluster.signal(SIGSTOP, followers[0])
                let paused = try await Self.explain(of: cluster, exits: 3)
                #expect(paused.has("node_hangs", followers[0].number) && paused.has("quorum"), "\(paused)")
                let lag = try await Self.explain("lag", followers[0].name, of: cluster, exits: 3)
                #expect(lag.has("node_hangs", followers[0].number), "\(lag)")
                try cluster.signal(SIGCONT, followers[0])

                try await cluster.kill(followers)
                // It steps down once it has heard from nobody for long enough.
                try await eventually("\(leader.name) to step down", state: { await cluster.described() }) {
                    await cluster.status(leader)?.role != "leader"
                }
                let alone = try await Self.explain("no-leader", of: cluster, exits: 3)
                #expect(
                    alone.has("no_leader") && alone.has("quorum_missing") && alone.has("vote", leader.number),
                    "\(alone)")
                for node in followers { #expect(alone.has("node_unreachable", node.number), "\(alone)") }
                let index = try await Self.explain("index", "1", of: cluster, exits: 3)
                #expect(index.has("holds", leader.number), "\(index)")

                try await cluster.kill([leader])
                let nobody = try await Self.explain(of: cluster, exits: 69)
                #expect(nobody.has("no_leader") && !nobody.well)
            }
        }

        @Test func `A cursor that holds a trim is named, and a stranger is no node`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append(["one", "two"])
                #expect(try await Self.explain("trim", of: cluster, exits: 0).has("trim_free"))
                let set = try await cluster.ask("cursor", "set", "billing", "2", "--hold")
                try #require(set.status == 0, "\(set.summary)")
                let held = try await cluster.ask("explain", "trim")
                #expect(
                    held.status == 0 && held.output.contains("the cursor billing holds everything from record 2 on"))
                let stranger = try await cluster.ask("explain", "lag", "n9")
                #expect(stranger.status == 64 && stranger.errors.contains("say one of n1"), "\(stranger.summary)")
            }
        }
    }
}
