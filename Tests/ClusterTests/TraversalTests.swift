import Foundation
import Testing

extension ClusterTests {
    /// Paths that lead out of what a listener serves lead nowhere.
    @Suite struct TraversalTests {
        /// As they go over the wire: curl is told not to tidy them up.
        private static let ways: [String] = {
            let ups = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "%252e%252e%252f", "....//", ".%00./"]
            let starts = ["/", "/v1/", "/v1/segments/", "/admin/v1/", "/readyz/", "/assets/", "/peer/v1/segments/"]
            return starts.flatMap { start in ups.map { start + String(repeating: $0, count: 8) + "etc/passwd" } }
                + ["//etc/passwd", "/%2fetc%2fpasswd", "/v1/segments/0/../../../../../etc/passwd", "/..", "/.%2e/"]
                + ["/peer/v1/segments/0/../../../../../etc/passwd", "/peer/v1/segments/first/../VOTE"]
        }()

        @Test func `no path leads to a file of the machine, on any port`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                // What is there is answered by both: a refusal of everything would prove nothing.
                let listeners = [
                    (address: node.admin, there: "/v1/cluster", options: ["--http1.1"]),
                    (address: node.client, there: "/v1/cluster", options: ["--http2-prior-knowledge"]),
                    (address: node.peer, there: "/peer/v1/status", options: ["--http2-prior-knowledge"]),
                ]
                for (address, path, options) in listeners {
                    let there = try await Self.get(path, at: "\(address)", options)
                    #expect(there.status == 0 && there.lines.last == "200", "\(address): \(there.summary)")
                    for way in Self.ways {
                        let answer = try await Self.get(way, at: "\(address)", options)
                        let code = answer.lines.last ?? ""
                        #expect(answer.status == 0 && ["400", "404"].contains(code), "\(way): \(answer.summary)")
                        #expect(!answer.output.contains("root:"), "\(way)")
                    }
                }
                #expect(await cluster.status(node)?.isReady == true)
            }
        }

        /// - Returns: The body, and the status on a line of its own.
        private static func get(_ path: String, at address: String, _ options: [String]) async throws -> Program.Answer
        {
            try await Program.run(
                options + ["-s", "-m", "10", "--path-as-is", "-w", "\n%{http_code}\n", "http://\(address)\(path)"],
                executable: "/usr/bin/curl")
        }
    }
}
