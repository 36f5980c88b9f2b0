import Foundation
import HoldfastClient
import Testing

extension ClusterTests {
    /// The admin listeners of real nodes, asked as a person or a probe asks them.
    @Suite struct AdminTests {
        private struct Receipt: Decodable {
            var first: UInt64
            var position: String
        }

        private struct Read: Decodable {
            var value: String
        }

        private struct View: Decodable {
            struct Node: Decodable {
                var node: UInt32
                var reachable: Bool
                var reason: String?
            }

            var leader: UInt32?
            var nodes: [Node]
        }

        @Test func `the README's commands about health say what it says`() async throws {
            let commands = try Document("README.md").commands(under: "## How it is doing").map(\.line)
            try #require(commands.count == 4)
            try await TestCluster.with { cluster in
                let ready = try await cluster.shell(commands[0])
                #expect(ready.output.contains("[+]commit ok: a quorum confirmed index"), "\(ready.summary)")
                let view = try await cluster.shell(commands[1]).json(View.self)
                #expect(view.nodes.map(\.reachable) == [true, true, true])
                let stream = try await cluster.shell(commands[2], endedAfter: 1.5)
                #expect(stream.output.contains("event: status\n"), "\(stream.summary)")
                #expect(stream.output.contains(#""kind":"role""#))
                let metrics = try await cluster.shell(commands[3])
                #expect(metrics.lines.contains("holdfast_leader_known 1"), "\(metrics.summary)")
            }
        }

        @Test func `plain curl appends, follows and is told of errors, by any node, as the README says`() async throws {
            let commands = try Document("README.md").commands(under: "## With plain curl")
            try #require(commands.count == 4)
            try await TestCluster.with { cluster in
                let appended = try await cluster.shell(commands[0].line).json(Receipt.self)
                let promised = try JSONDecoder().decode(Receipt.self, from: Data(commands[0].output.utf8))
                #expect(appended.first == promised.first && appended.position == promised.position)
                let followed = try await cluster.shell(commands[1].line, endedAfter: 1)
                #expect(followed.output.contains(#""value":"hi""#), "\(followed.summary)")
                for node in cluster.nodes {
                    let more = try await Program.run(
                        ["-s", "-d", "more", "http://\(node.admin)/v1/records"], executable: "/usr/bin/curl")
                    #expect(try more.json(Receipt.self).first == UInt64(node.number) + 1)
                }
                let refused = try await Program.run(
                    [
                        "-s", "-d", "evil", "-H", "Origin: http://evil.example",
                        "http://\(cluster.nodes[0].admin)/v1/records",
                    ],
                    executable: "/usr/bin/curl")
                #expect(try refused.json(ProblemDocument.self).code == "FOREIGN_ORIGIN")
                let trimmed = try await Self.ask(cluster.nodes[1], "/v1/records/99").json(ProblemDocument.self)
                #expect(trimmed.code == "NO_SUCH_RECORD")
            }
        }

        @Test func `a reader at the tail of one node gets what is appended at another, as the README says`()
            async throws
        {
            let commands = try Document("README.md").commands(under: "## With plain curl").map(\.line)
            let follow = try #require(commands.first { $0.contains(":7402/") && $0.contains("from=tail&follow=true") })
            let append = try #require(commands.last)
            try #require(follow.hasSuffix(" &") && append.contains(":7412/"))
            try await TestCluster.with { cluster in
                try await cluster.append(["before"])
                // What comes before the reader is there is not for it: so there is more until it has read some.
                let answer = try await cluster.shell(
                    """
                    \(follow.dropLast(2)) >read &
                    reader=$!
                    trap 'kill -9 $reader' EXIT
                    for _ in {1..300}; do grep -q '"value":"more"' read && break; \(append); done >receipts
                    cat read
                    """)
                #expect(answer.status == 0, "\(answer.summary)")
                let values = try answer.jsonLines(Read.self).map(\.value)
                #expect(!values.isEmpty && values.allSatisfy { $0 == "more" }, "\(answer.summary)")
            }
        }

        @Test func `a node that is gone is named by the others, and one without a quorum is not ready`() async throws {
            try await TestCluster.with { cluster in
                let (leader, _) = try await cluster.leader()
                let followers = cluster.others(than: leader)
                try await cluster.kill([followers[0]])
                let view = try await Self.ask(followers[1], "/admin/v1/cluster").json(View.self)
                let gone = try #require(view.nodes.first { $0.node == followers[0].number })
                #expect(!gone.reachable)
                #expect(gone.reason?.contains("refused") == true, "\(gone)")
                try await cluster.kill([leader])
                try await eventually("the last node to be not ready") {
                    let answer = try await Self.ask(followers[1], "/readyz")
                    return answer.output.contains("[-]commit failed")
                }
                #expect(try await Self.ask(followers[1], "/livez").output == "ok\n")
                // Somebody who watches does not hold up the end.
                async let stream = Self.ask(followers[1], "/admin/v1/stream")
                try await Task.sleep(for: .milliseconds(200))
                let began = ContinuousClock.now
                try await cluster.stop(followers[1])
                #expect(began.duration(to: .now) < .seconds(5))
                _ = try await stream
            }
        }

        private static func ask(_ node: TestCluster.Node, _ path: String) async throws -> Program.Answer {
            try await Program.run(["-sN", "http://\(node.admin)\(path)"], executable: "/usr/bin/curl")
        }
    }
}
