import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// `holdfast cluster` knows its own nodes from other processes on their ports, and members from others.
    @Suite struct LocalClusterTests {
        @Test func `A cluster on the ports of another is neither begun nor taken for it`() async throws {
            try await TestCluster.with(spare: 1) { cluster in
                let other = "\(cluster.scratch.path)/other"
                let refused = try await Program.run(
                    ["cluster", "up", "--data-dir", other, "--base-port", "\(cluster.nodes[0].client.port)"])
                #expect(refused.status == 78 && refused.errors.contains("is in use"), "\(refused.summary)")
                #expect(!FileManager.default.fileExists(atPath: other))

                // One that was there before, and whose nodes do not run.
                try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
                try FileManager.default.copyItem(atPath: "\(cluster.directory)/run", toPath: "\(other)/run")
                for node in cluster.nodes {
                    try FileManager.default.removeItem(atPath: "\(other)/run/\(node.name).pid")
                }
                for command in ["status", "leader", "add"] {
                    let answer = try await Program.run(["cluster", command, "--data-dir", other])
                    #expect(answer.status == 69, "\(command): \(answer.summary)")
                    #expect(!answer.output.contains("follower"), "\(command): \(answer.summary)")
                }
                #expect(!FileManager.default.fileExists(atPath: "\(other)/run/n4.node"))
                let wiped = try await Program.run(["cluster", "down", "--wipe", "--data-dir", other])
                #expect(wiped.status == 0 && wiped.output == "removed \(other)\n", "\(wiped.summary)")
                #expect(!FileManager.default.fileExists(atPath: other))
                try await cluster.control("status")
            }
        }

        @Test func `A member that was removed is no trouble, and is not started again`() async throws {
            try await TestCluster.with(spare: 1) { cluster in
                try await cluster.control("add")
                let removed = try await cluster.ask("member", "remove", "4")
                #expect(removed.status == 0, "\(removed.summary)")
                let running = try await cluster.control("status")
                #expect(running.lines.contains { $0.hasPrefix("n4") && $0.contains("removed") }, "\(running.summary)")
                #expect(running.errors.contains("cluster kill n4"), "\(running.summary)")
                try await cluster.control("kill", "n4")
                try await cluster.control("status")
                #expect(try await cluster.control("up").errors.contains("n4 is no member any more"))
                // Nobody is there who could tell.
                try await cluster.control("down")
                #expect(try await cluster.control("up").errors.contains("n4 is no member any more"))
                let four = try #require(cluster.adding(4).nodes.last)
                #expect(cluster.process(four) == nil)
                try await cluster.control("status")
            }
        }

        @Test func `Without a leader status says so, and everything that is missing`() async throws {
            try await TestCluster.with { cluster in
                let leader = try await cluster.leader().node
                let follower = cluster.others(than: leader)[0]
                try await cluster.control("kill", follower.name)
                try await cluster.control("pause", leader.name)
                let status = try await cluster.control("status", exits: 69)
                #expect(
                    status.errors.contains(
                        "no leader is known: \(follower.name) not running; \(leader.name) paused"),
                    "\(status.summary)")
                #expect(status.lines.contains { $0.hasPrefix(leader.name) && $0.contains("paused") })
                try await cluster.control("resume", leader.name)
                try await cluster.control("up")
                try await cluster.control("status")
            }
        }
    }
}
