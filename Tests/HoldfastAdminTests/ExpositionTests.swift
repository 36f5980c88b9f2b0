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

    @Test func `label values are escaped`() {
        var writer = ExpositionWriter()
        writer.gauge("odd", "Odd.", [([("name", "a\"b\\c\nd")], "1")])
        #expect(writer.text.hasSuffix("holdfast_odd{name=\"a\\\"b\\\\c\\nd\"} 1\n"))
    }
}
