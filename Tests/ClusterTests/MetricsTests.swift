import Foundation
import TestSupport
import Testing

extension ClusterTests {
    /// What a node tells Prometheus, read by Prometheus.
    @Suite struct MetricsTests {
        private static let isMissing = ["prometheus", "promtool"].contains { program in
            !["/usr/bin", "/usr/local/bin"].contains {
                FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
            }
        }

        @Test func `Prometheus scrapes a node, finds nothing to object to, and answers with its values`() async throws {
            guard !Self.isMissing else {
                return try SkippedTest.note("Prometheus is not installed (scripts/setup --tests)")
            }
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append((1...50).map { "line \($0)" })
                let node = cluster.nodes[0]
                let check = try await Self.bash(
                    "curl -s http://\(node.admin)/metrics | promtool check metrics", cluster)
                #expect(check.status == 0 && check.errors.isEmpty, "\(check.summary)")
                let port = node.client.port + 9
                let configuration = """
                    global: {scrape_interval: 200ms, scrape_timeout: 200ms}
                    scrape_configs:
                      - {job_name: holdfast, static_configs: [{targets: ["\(node.admin)"]}]}
                    """
                try configuration.write(
                    toFile: "\(cluster.directory)/prometheus.yml", atomically: true, encoding: .utf8)
                let answer = try await Self.bash(
                    """
                    prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb \
                        --web.listen-address=127.0.0.1:\(port) 2>prometheus.log & server=$!
                    trap 'kill -9 $server' EXIT
                    for try in $(seq 150); do
                        answer=$(curl -s 'http://127.0.0.1:\(port)/api/v1/query?query=holdfast_commit_index')
                        case $answer in *'"50"'*) echo "$answer"; exit 0 ;; esac
                        sleep 0.1
                    done
                    tail -n 5 prometheus.log; echo "$answer"; exit 1
                    """, cluster)
                #expect(answer.status == 0, "\(answer.summary)")
            }
        }

        @Test func `promtool has nothing to object to in what a leader that speaks TLS tells of its peers`()
            async throws
        {
            guard !Self.isMissing else {
                return try SkippedTest.note("Prometheus is not installed (scripts/setup --tests)")
            }
            try await TestCluster.with(isSecure: true) { cluster in
                try await cluster.append((1...50).map { "line \($0)" })
                try await cluster.untilLevel()
                let leader = try await cluster.leader().node
                let check = try await Self.bash(
                    "curl -sf -o leader.prom http://\(leader.admin)/metrics && promtool check metrics < leader.prom",
                    cluster)
                #expect(check.status == 0 && check.errors.isEmpty, "\(check.summary)")
                let told = try String(contentsOfFile: "\(cluster.directory)/leader.prom", encoding: .utf8)
                for node in cluster.others(than: leader) {
                    for name in [
                        "peer_lag_bytes{peer", "shipped_bytes_total{peer", "replicate_duration_seconds_count{peer",
                    ] {
                        #expect(told.contains("\nholdfast_\(name)=\"\(node.number)\"} "), "\(name) of \(node.name)")
                    }
                }
                #expect(told.contains("\nholdfast_certificate_"))
            }
        }

        /// What is first seen above zero has not risen, as far as Prometheus knows.
        @Test func `a node tells of each bound and each refusal before the first`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                let answer = try await Self.bash("curl -s http://\(node.admin)/metrics", cluster)
                let zeros = Set(answer.lines.filter { $0.hasSuffix(" 0") }.map { $0.dropLast(2) })
                for listener in ["client", "peer", "admin"] {
                    for limit in ["headers_deadline", "unread_deadline", "connections_per_address"] {
                        let name = #"holdfast_breaches_total{listener="\#(listener)",limit="\#(limit)"}"#
                        #expect(zeros.contains(name[...]), "\(name)")
                    }
                }
                for code in ["COMMIT_TIMEOUT", "QUORUM_UNAVAILABLE", "BUSY"] {
                    let name = #"holdfast_requests_refused_total{code="\#(code)",request="append"}"#
                    #expect(zeros.contains(name[...]), "\(name)")
                }
                for part in ["clients", "disk", "replication"] {
                    let count = #"holdfast_wait_duration_seconds_count{part="\#(part)"}"#
                    #expect(answer.lines.contains { $0.hasPrefix(count) }, "\(part)")
                }
                // One that is refused is the only one that has risen.
                let missing = try await Self.bash(
                    "curl -s --http2-prior-knowledge http://\(node.client)/v1/nothing", cluster)
                #expect(missing.output.contains("NO_SUCH_ROUTE"), "\(missing.summary)")
                let later = try await Self.bash(
                    "curl -s http://\(node.admin)/metrics | grep '^holdfast_requests_refused_total' | grep -v ' 0$'",
                    cluster)
                #expect(later.lines == [#"holdfast_requests_refused_total{code="NO_SUCH_ROUTE",request="other"} 1"#])
            }
        }

        private static func bash(_ script: String, _ cluster: TestCluster) async throws -> Program.Answer {
            try await Program.run(["-c", script], executable: "/usr/bin/bash", directory: cluster.directory)
        }
    }
}
