import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// SIGHUP to a real node.
    @Suite struct ReloadTests {
        @Test func `A node takes live keys over from its file, refuses others, and nothing of a broken file`()
            async throws
        {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                let process = try #require(cluster.process(node))
                let first = try String(contentsOfFile: node.config, encoding: .utf8)
                func reload(_ more: String, untilSaid words: String) async throws {
                    try (first + more).write(toFile: node.config, atomically: true, encoding: .utf8)
                    try cluster.signal(SIGHUP, node)
                    try await eventually("\(node.name) to say \(words)", state: { cluster.words(of: node) }) {
                        cluster.words(of: node).contains(words)
                    }
                }
                try await reload(
                    "scrub:\n  rate: 1MiB\nreplication:\n  compression: always\nelection:\n  heartbeat: 40ms\n",
                    untilSaid: "election.heartbeat not changed: that needs a restart of the node")
                for words in ["scrub.rate changed", "replication.compression changed"] {
                    #expect(cluster.words(of: node).contains(words))
                }
                try await reload(
                    "log:\n  levle: error\n",
                    untilSaid: "unknown key log.levle; did you mean log.level?")
                try await reload("log:\n  level: error\n", untilSaid: "log.level changed")
                // It goes on as if nothing had been, and says no more.
                try await cluster.append(["still here"])
                #expect(cluster.process(node) == process)
                let before = cluster.words(of: node)
                try await cluster.stop(node)
                #expect(cluster.words(of: node) == before, "an error is all that would be said")
            }
        }
    }
}
