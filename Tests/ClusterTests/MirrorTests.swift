import Foundation
import HoldfastClient
import LogModel
import TestSupport
import Testing

extension ClusterTests {
    /// Readers of the client API in HTTP/1.1, as people read it.
    @Suite struct MirrorTests {
        @Test func `Those who read slowly by plain curl are not cut off, and keep nobody waiting`() async throws {
            try await TestCluster.with(nodes: 1, segmentSize: "64MiB") { cluster in
                let node = cluster.nodes[0]
                let client = HoldfastClient(servers: cluster.servers)
                let producer = client.makeProducer()
                let records = Array(repeating: Record(value: Bytes(repeating: 97, count: 50_000)), count: 20)
                for _ in 0..<24 { _ = try await producer.append(records) }
                await client.shutdown()
                // A machine that stood still meanwhile has shown nothing: once more.
                for isLast in [false, false, true] {
                    let (round, stall) = try await Stall.longest { try await Self.round(at: node) }
                    if stall > .seconds(2), !isLast { continue }
                    try Self.check(round)
                    break
                }
            }
        }

        /// What became of those who read slowly, and of who appended meanwhile.
        private struct Round {
            var appends: [Program.Answer] = []
            var readers: [Program.Answer?] = []
            /// Of readers that were cut off, before and after.
            var cuts: [String] = []
        }

        private static func round(at node: TestCluster.Node) async throws -> Round {
            var round = Round()
            round.cuts.append(try await Self.cuts(at: node))
            let readers = Task {
                await withTaskGroup(of: Program.Answer?.self) { group in
                    for rate in ["100k"] + Array(repeating: "50k", count: 7) {
                        group.addTask { try? await Self.follow(node, rate: rate) }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
            }
            // They are under way by then, and behind as far as their windows let them.
            for number in 0..<20 {
                round.appends.append(
                    try await Program.run(
                        ["-s", "--max-time", "5", "-d", "\(number)", "http://\(node.admin)/v1/records"],
                        executable: "/usr/bin/curl"))
                try await Task.sleep(for: .milliseconds(500))
            }
            round.readers = await readers.value
            round.cuts.append(try await Self.cuts(at: node))
            return round
        }

        private static func check(_ round: Round) throws {
            for (number, answer) in round.appends.enumerated() {
                #expect(answer.output.contains(#""durability":"persisted""#), "\(number): \(answer.summary)")
            }
            for answer in round.readers {
                let answer = try #require(answer)
                // 28: its own time was over.
                #expect(answer.status == 28, "\(answer.summary)")
                #expect((Int(answer.output) ?? 0) > 200_000, "\(answer.summary)")
            }
            #expect(round.cuts[0] == round.cuts[1])
        }

        private static func cuts(at node: TestCluster.Node) async throws -> String {
            let metrics = try await Program.run(["-s", "http://\(node.admin)/metrics"], executable: "/usr/bin/curl")
            return try #require(
                metrics.lines.first {
                    $0.hasPrefix(#"holdfast_breaches_total{listener="client",limit="unread_deadline"}"#)
                }, "\(metrics.summary)")
        }

        private static func follow(_ node: TestCluster.Node, rate: String) async throws -> Program.Answer {
            try await Program.run(
                [
                    "-sN", "--limit-rate", rate, "--max-time", "25", "-o", "/dev/null", "-w", "%{size_download}",
                    "http://\(node.admin)/v1/records?from=1&follow=true",
                ],
                executable: "/usr/bin/curl", seconds: 60)
        }
    }
}
