import Foundation
import Testing

extension ClusterTests {
    /// Paths that lead out of what a listener serves lead nowhere.
    @Suite struct TraversalTests {
        /// As they go over the wire: curl is told not to tidy them up.
        private static let ways: [String] = {
            let ups = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "%252e%252e%252f", "....//", ".%00./"]
            let starts = ["/", "/v1/", "/v1/segments/", "/admin/v1/", "/readyz/", "/assets/"]
            return starts.flatMap { start in ups.map { start + String(repeating: $0, count: 8) + "etc/passwd" } }
                + ["//etc/passwd", "/%2fetc%2fpasswd", "/v1/segments/0/../../../../../etc/passwd", "/..", "/.%2e/"]
        }()

        @Test func `no path leads to a file of the machine, on the admin port or on that for clients`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                // What is there is answered by both: a refusal of everything would prove nothing.
                let listeners = [
                    (address: node.admin, options: ["--http1.1"]),
                    (address: node.client, options: ["--http2-prior-knowledge"]),
                ]
                for (address, options) in listeners {
                    let there = try await Self.get("/v1/cluster", at: "\(address)", options)
                    #expect(there.status == 0 && there.lines.last == "200", "\(there.summary)")
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
