import Foundation
import HoldfastClient
import LogModel
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
                    let appended = try await Program.run(
                        ["-s", "--max-time", "5", "-d", "\(number)", "http://\(node.admin)/v1/records"],
                        executable: "/usr/bin/curl")
                    #expect(appended.output.contains(#""durability":"persisted""#), "\(number): \(appended.summary)")
                    try await Task.sleep(for: .milliseconds(500))
                }
                for answer in await readers.value {
                    let answer = try #require(answer)
                    // 28: its own time was over.
                    #expect(answer.status == 28, "\(answer.summary)")
                    #expect((Int(answer.output) ?? 0) > 200_000, "\(answer.summary)")
                }
                let metrics = try await Program.run(
                    ["-s", "http://\(node.admin)/metrics"], executable: "/usr/bin/curl")
                let line = #"holdfast_breaches_total{listener="client",limit="unread_deadline"} 0"#
                let isUncut = metrics.lines.contains(line)
                #expect(isUncut, "\(metrics.lines.filter { $0.contains("breaches") && !$0.hasSuffix(" 0") })")
            }
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
