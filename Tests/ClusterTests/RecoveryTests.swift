import Foundation
import HoldfastClient
import Testing

extension ClusterTests {
    /// Most nodes are lost for good, and an operator decides to go on with what one has.
    @Suite struct RecoveryTests {
        struct Plan: Decodable {
            var chosen: UInt32
            var lost: [UInt32]
            var generation: UInt32
            var applied: Bool
            var kept_through: UInt64
        }

        @Test
        func `One of three goes on alone, refuses the old majority, and takes its nodes back when they are empty`()
            async throws
        {
            try await TestCluster.with { cluster in
                try await cluster.append(["before"])
                try await cluster.untilLevel()
                let survivor = cluster.nodes[0]
                let lost = cluster.others(than: survivor)
                for node in cluster.nodes { try await cluster.kill([node]) }

                let refused = try await Program.run(
                    ["recover-quorum", "--plan", survivor.dataDirectory, lost[0].dataDirectory])
                #expect(refused.status == 1 && refused.errors.contains("majority"), "\(refused.summary)")
                let before = try cluster.files(of: survivor)
                let plan = try await self.recover(survivor, "--plan")
                #expect(plan.chosen == 1 && plan.lost == [2, 3] && plan.generation == 2 && !plan.applied)
                #expect(plan.kept_through == 1)
                let told = try await Program.run(["recover-quorum", "--plan", survivor.dataDirectory])
                #expect(
                    told.output.contains("lost: node 2, 3, and every record that was acknowledged behind 1."),
                    "\(told.summary)")
                #expect(told.errors.contains("recover-quorum \(survivor.dataDirectory) --apply"), "\(told.summary)")
                #expect(try cluster.files(of: survivor) == before)
                #expect(try await self.recover(survivor, "--apply").applied)

                let alone = cluster.without(lost[0]).without(lost[1])
                try await cluster.start(survivor)
                let status = try #require(await cluster.status(try await alone.leader().node))
                #expect(status.generation == 2 && status.recovered?.nextIndex == 2)
                #expect(status.nodes.map(\.node) == [1])
                try await alone.append(["alone"])
                let shown = try await alone.ask("status")
                #expect(shown.output.contains("recovered at index 2"), "\(shown.summary)")

                // The old majority comes back with all that it had.
                for node in lost { try await cluster.start(node) }
                for node in lost {
                    try await eventually("\(node.name) to be retired", state: { await cluster.described() }) {
                        await cluster.status(node)?.retired?.contains("recovered without it") == true
                    }
                }
                #expect(await cluster.statuses(of: lost).allSatisfy { $0.role == "follower" && $0.generation == 1 })
                // Of those that it went on without the cluster tells nothing; asked themselves, they say it.
                for answer in [
                    try await cluster.ask("explain"), try await cluster.ask("status"),
                    try await cluster.control("status", exits: 3),
                ] {
                    let told = answer.output + answer.errors
                    #expect(answer.status == 3 && told.contains("holdfast member replace 2"), "\(answer.summary)")
                    #expect(told.contains("recovered without it"), "\(answer.summary)")
                }
                let early = try await alone.ask("member", "replace", "2")
                #expect(early.status == 1 && early.errors.contains("data directory"), "\(early.summary)")

                for node in lost {
                    try await cluster.stop(node)
                    try FileManager.default.removeItem(atPath: node.dataDirectory)
                    try await cluster.start(node)
                    let replaced = try await alone.ask("member", "replace", "\(node.number)")
                    #expect(replaced.status == 0, "\(replaced.summary)")
                }
                try await cluster.append(["together"])
                try await cluster.untilLevel()
                for node in cluster.nodes {
                    #expect(try await cluster.log(of: node).map(\.text) == ["before", "alone", "together"])
                    #expect(await cluster.status(node)?.generation == 2)
                }
                // Two of three are a majority again.
                try await cluster.kill([survivor])
                _ = try await cluster.leader(among: lost)
            }
        }

        private func recover(_ node: TestCluster.Node, _ flag: String) async throws -> Plan {
            let answer = try await Program.run(["recover-quorum", flag, node.dataDirectory, "-o", "json"])
            try #require(answer.status == 0, "\(answer.summary)")
            return try answer.json(Plan.self)
        }
    }
}
