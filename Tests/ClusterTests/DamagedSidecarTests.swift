import Foundation
import HoldfastClient
import Testing

extension ClusterTests {
    /// What a node does not know of itself any more, it says, and the others go on.
    @Suite struct DamagedSidecarTests {
        @Test func `A node whose VOTE is garbled follows, counts for nothing, and is healed by a replacement`()
            async throws
        {
            try await TestCluster.with { cluster in
                let follower = try #require(cluster.others(than: try await cluster.leader().node).first)
                try await cluster.append(["before"])
                try await cluster.stop(follower)
                try self.garble("VOTE", of: follower)
                try await cluster.start(follower)
                try await eventually("\(follower.name) to say that it is retired") {
                    await cluster.status(follower)?.retired?.contains("VOTE was unreadable") == true
                }
                #expect(
                    cluster.words(of: follower).contains("holdfast member replace \(follower.number)"))
                // It follows as a learner would ...
                try await cluster.append(["between"])
                try await cluster.untilLevel()
                let shown = try await cluster.ask("status")
                #expect(shown.status == 3 && shown.errors.contains("VOTE was unreadable"), "\(shown.summary)")
                // ... and with it alone nobody commits.
                let other = try #require(
                    cluster.others(than: follower).first { $0 != cluster.nodes.first } ?? cluster.nodes.first)
                try await cluster.kill([other])
                let refused = try await cluster.ask("append", "--timeout", "1500ms", input: "lonely\n")
                #expect([69, 75].contains(refused.status), "\(refused.summary)")
                try await cluster.start(other)

                try await self.replace(follower, in: cluster)
                let log = try await cluster.log(of: follower).map(\.text)
                #expect(
                    Array(log.prefix(2)) == ["before", "between"] && log.dropFirst(2).allSatisfy { $0 == "lonely" })
            }
        }

        @Test func `A node whose IDENTITY is garbled or gone does not start, says what to do, and comes back so`()
            async throws
        {
            try await TestCluster.with { cluster in
                let follower = try #require(cluster.others(than: try await cluster.leader().node).first)
                try await cluster.append(["before"])
                try await cluster.untilLevel()
                for isGone in [false, true] {
                    try await cluster.stop(follower)
                    if isGone {
                        try FileManager.default.removeItem(atPath: "\(follower.dataDirectory)/IDENTITY")
                    } else {
                        try self.garble("IDENTITY", of: follower)
                    }
                    _ = try await Program.run(
                        ["cluster", "start", follower.name, "--data-dir", cluster.directory], seconds: 60)
                    try await eventually("\(follower.name) to refuse to start") {
                        cluster.process(follower) == nil
                    }
                    let words = cluster.words(of: follower)
                    #expect(words.contains("IDENTITY") && words.contains("--plan --node"), "\(words)")
                    try await cluster.without(follower).append(["without"])

                    let plan = try await Program.run(
                        ["repair", follower.dataDirectory, "--plan", "--node", "\(follower.number)"])
                    #expect(plan.status == 0, "\(plan.summary)")
                    let applied = try await Program.run(["repair", follower.dataDirectory, "--apply"])
                    #expect(applied.status == 0, "\(applied.summary)")
                    try await cluster.start(follower)
                    try await cluster.untilLevel()
                    #expect(await cluster.status(follower)?.retired == nil)
                }
            }
        }

        private func garble(_ name: String, of node: TestCluster.Node) throws {
            let file = URL(fileURLWithPath: "\(node.dataDirectory)/\(name)")
            let byteCount = try Data(contentsOf: file).count
            try Data(repeating: 0x5A, count: byteCount).write(to: file)
        }

        /// What the node's hint says.
        private func replace(_ node: TestCluster.Node, in cluster: TestCluster) async throws {
            try await cluster.stop(node)
            try FileManager.default.moveItem(atPath: node.dataDirectory, toPath: "\(cluster.scratch.path)/aside")
            try await cluster.start(node)
            let replaced = try await cluster.without(node).ask("member", "replace", "\(node.number)")
            #expect(replaced.status == 0, "\(replaced.summary)")
            try await cluster.untilLevel()
            #expect(await cluster.status(node)?.retired == nil)
        }
    }
}
