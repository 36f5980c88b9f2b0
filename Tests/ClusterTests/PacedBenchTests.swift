import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// `bench append --rate`: it goes on through what happens to the cluster, and says what became of every append.
    @Suite struct PacedBenchTests {
        /// `holdfast bench append --rate ... -o json`.
        private struct Report: Decodable {
            struct Latency: Decodable { var p50_us, p90_us, p99_us, p999_us, max_us: Double }
            struct Verification: Decodable { var lost, duplicated, reordered, contradicted, unknown_in_log: Int }
            var rate, records_per_second, clients, size: Int
            var acknowledged, refused, unknown, not_begun, retries: Int
            var gap_max_ms: Double
            var latency, latency_from_sending: Latency
            var verification: Verification?
        }

        @Test func `A load at a rate loses nothing when the leader is killed, beside other writers`() async throws {
            try await TestCluster.with { cluster in
                let leader = try await cluster.leader().node
                async let answer = cluster.ask(
                    "bench", "append", "--rate", "200/s", "--duration", "3s", "--clients", "8", "--verify", "-o", "json"
                )
                try await eventually("the load to be under way") {
                    (await cluster.status(leader))?.lastIndex ?? 0 >= 100
                }
                try await cluster.append(["another writer's"])
                try await cluster.control("kill", leader.name)
                let report = try await answer.json(Report.self)
                let summary = try await answer.summary
                #expect(try await answer.status == 0, "\(summary)")
                let verification = try #require(report.verification)
                #expect(verification.lost + verification.duplicated + verification.reordered == 0, "\(summary)")
                #expect(report.acknowledged + report.unknown == 600 && report.retries > 0, "\(summary)")
                #expect(report.refused + report.not_begun + verification.contradicted == 0, "\(summary)")
            }
        }

        @Test func `What was due while nobody answered counts from when it was due`() async throws {
            try await TestCluster.with { cluster in
                let leader = try await cluster.leader().node
                async let answer = cluster.ask(
                    "bench", "append", "--rate", "200", "--duration", "3s", "--clients", "4", "-o", "json")
                try await eventually("the load to be under way") {
                    (await cluster.status(leader))?.lastIndex ?? 0 >= 50
                }
                // A leader that hangs is left after a second: until then nobody is answered.
                try await cluster.control("pause", leader.name)
                let report = try await answer.json(Report.self)
                try await cluster.control("resume", leader.name)
                #expect(report.verification == nil && report.gap_max_ms > 300)
                #expect(report.latency.p90_us > 2 * report.latency_from_sending.p90_us)
                #expect(
                    report.latency.p50_us <= report.latency.p90_us && report.latency.p99_us <= report.latency.max_us)
            }
        }

        @Test func `What was acknowledged and is gone is counted, and ends with 65`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                async let answer = cluster.ask(
                    "bench", "append", "--rate", "100", "--duration", "2s", "--clients", "2", "--verify", "-o", "json")
                try await eventually("the load to be under way") { (await cluster.status(node))?.lastIndex ?? 0 >= 20 }
                // Its only copy: the log begins anew, and nobody knows of the old one.
                try await cluster.control("kill", node.name)
                try FileManager.default.removeItem(atPath: node.dataDirectory)
                try await cluster.start(node)
                let summary = try await answer.summary
                #expect(try await answer.status == 65, "\(summary)")
                #expect(try await answer.errors.contains("the log is not what was acknowledged"), "\(summary)")
                let verification = try #require(try await answer.json(Report.self).verification)
                #expect(verification.lost >= 20 && verification.duplicated == 0, "\(summary)")
            }
        }

        @Test func `Alone it measures a cluster of its own, and says in words what it found`() async throws {
            let scratch = try Scratch()
            defer { scratch.end() }
            let answer = try await Program.run(
                [
                    "bench", "append", "--rate", "1k", "--duration", "500ms", "--verify", "--data", "json",
                    "--data-dir", "\(scratch.path)/bench",
                ], seconds: 60)
            #expect(answer.status == 0, "\(answer.summary)")
            #expect(answer.output.contains("500 acknowledged, 0 lost, 0 duplicated, order kept"), "\(answer.summary)")
            #expect(answer.output.contains("from when it was due"), "\(answer.summary)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
        }
    }
}
