import Foundation
import HoldfastClient
import LogModel
import Testing

@testable import HoldfastAdmin

@Suite struct ExpositionTests {
    private func lines(_ listener: Listener) async throws -> [String] {
        let answer = try await listener.get("/metrics")
        #expect(answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        return answer.body.split(separator: "\n").map(String.init)
    }

    @Test func `every family is explained and typed once, before its samples`() async throws {
        try await Listener.with { listener in
            let lines = try await self.lines(listener)
            let helps = lines.filter { $0.hasPrefix("# HELP ") }.map { $0.split(separator: " ")[2] }
            let types = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
            #expect(helps == types)
            #expect(Set(helps).count == helps.count)
            #expect(helps.allSatisfy { $0.hasPrefix("holdfast_") })
        }
    }

    @Test func `histograms are cumulative, in seconds`() async throws {
        try await Listener.with { listener in
            let syncs = try await self.lines(listener).filter { $0.hasPrefix("holdfast_sync_duration_seconds") }
            #expect(syncs.contains(#"holdfast_sync_duration_seconds_bucket{le="0.00025"} 0"#))
            #expect(syncs.contains(#"holdfast_sync_duration_seconds_bucket{le="0.0005"} 1"#))
            #expect(syncs.contains(#"holdfast_sync_duration_seconds_bucket{le="0.0025"} 2"#))
            #expect(syncs.contains(#"holdfast_sync_duration_seconds_bucket{le="+Inf"} 2"#))
            #expect(syncs.contains("holdfast_sync_duration_seconds_sum 0.0023"))
            #expect(syncs.contains("holdfast_sync_duration_seconds_count 2"))
        }
    }

    @Test func `roles are one family, and what is not known has no sample`() async throws {
        try await Listener.with { listener in
            let lines = try await self.lines(listener)
            #expect(lines.contains(#"holdfast_role{role="follower"} 1"#))
            #expect(lines.contains(#"holdfast_role{role="leader"} 0"#))
            #expect(!lines.contains { $0.contains("holdfast_tail_index") })
        }
    }

    @Test func `requests are told by route, and all unknown paths as one`() async throws {
        try await Listener.with { listener in
            for path in ["/readyz/leader", "/readyz/disk", "/a", "/b", "/c"] { _ = try await listener.get(path) }
            let counts = try await self.lines(listener).filter {
                $0.hasPrefix("holdfast_admin_request_duration_seconds_count")
            }
            #expect(counts.count == 2, "\(counts)")
            #expect(counts.contains { $0.contains(#"status="2xx""#) && $0.hasSuffix(" 2") })
            #expect(counts.contains { $0.contains(#"status="4xx""#) && $0.hasSuffix(" 3") })
        }
    }

    @Test func `OpenMetrics is told to whoever accepts it, with counters by their names and an end`() async throws {
        try await Listener.with { listener in
            let answer = try await listener.get(
                "/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
            #expect(answer.fields["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            let lines = answer.body.split(separator: "\n")
            #expect(lines.contains("# TYPE holdfast_appends counter"))
            #expect(lines.contains("holdfast_appends_total 0"))
            #expect(lines.last == "# EOF" && answer.body.hasSuffix("\n"))
            #expect(!lines.contains { $0.hasPrefix("# ") && $0.contains("_total ") })
        }
    }

    @Test func `voters are counted, and those that the node reaches`() {
        let lines = Exposition.text(Self.everything, requests: [:]).split(separator: "\n")
        #expect(lines.contains("holdfast_voters 3"))
        #expect(lines.contains("holdfast_voters_reached 2"))
    }

    @Test func `the documentation's table is what a node tells`() throws {
        let text = Exposition.text(
            Self.everything, requests: [.init(route: "/metrics", statusClass: "2xx"): LatencyHistogram()])
        var table = "| name | type | meaning |\n|---|---|---|\n"
        var help = ""
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# HELP ") { help = String(words[3]) }
            if line.hasPrefix("# TYPE ") { table += "| `\(words[2])` | \(words[3]) | \(help) |\n" }
        }
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/HoldfastNode/HoldfastNode.docc/Metrics.md")
        let article = try String(contentsOf: file, encoding: .utf8)
        let begin = try #require(article.range(of: "| name |")).lowerBound
        let end = try #require(article.range(of: "\n\n", range: begin..<article.endIndex)).lowerBound
        if ProcessInfo.processInfo.environment["HOLDFAST_REWRITE"] == "1" {
            return try (article[..<begin] + table + article[end...].dropFirst())
                .write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(article[begin..<end] + "\n" == table, "HOLDFAST_REWRITE=1 writes it anew")
    }

    /// Of a leader that knows all that there is to know.
    private static var everything: NodeMetrics {
        var status = FakeNode.status(of: 1, role: "leader")
        status.cluster.tailIndex = 7
        status.cluster.nodes = (1...3 as ClosedRange<UInt32>).map { number in
            var node = ClusterStatus.Node(node: number, client: "127.0.0.1:\(number)", peer: "127.0.0.2:\(number)")
            node.membership = .voter
            node.isConnected = number == 2
            node.missingBytes = 0
            node.lagSeconds = 0
            node.shippedBytes = 64
            node.wireBytes = 64
            return node
        }
        var metrics = NodeMetrics(status: status)
        metrics.times.rounds = [2: LatencyHistogram()]
        metrics.times.waits = [.disk: LatencyHistogram()]
        metrics.process.residentBytes = 1
        metrics.process.openDescriptors = 1
        metrics.process.descriptorLimit = 2
        metrics.listeners = [.init(name: "client", connectionCount: 1, breaches: ["pings": 1])]
        metrics.refusals = [.init(code: "BUSY", request: "append"): 1]
        metrics.spansLost = 0
        metrics.certificateEnd = 1
        return metrics
    }

    @Test func `label values are escaped`() {
        var writer = ExpositionWriter(.prometheus)
        writer.gauge("odd", "Odd.", [([("name", "a\"b\\c\nd")], "1")])
        #expect(writer.text.hasSuffix("holdfast_odd{name=\"a\\\"b\\\\c\\nd\"} 1\n"))
    }
}
