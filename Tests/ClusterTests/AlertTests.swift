import Foundation
import TestSupport
import Testing

extension ClusterTests {
    /// The alerts and the dashboard that `holdfast generate` makes, held against Prometheus and against what a node tells.
    @Suite struct AlertTests {
        private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        private static let articles = Self.root.appendingPathComponent("Sources/HoldfastNode/HoldfastNode.docc")

        /// What of a healthy cluster is other than it should be, and who is to hear of it.
        private struct Case {
            var name: String
            /// In the notation of promtool, one value a minute, by name and labels; on node c alone when they name it.
            var series: [String: String]
            var alerts: Set<String>
            /// For how long it is so; what lasts eighty minutes above and in ``healthy`` lasts as long.
            var minutes: Int

            init(_ name: String, _ series: [String: String], minutes: Int = 80, _ alerts: String...) {
                self.name = name
                self.series = series
                self.minutes = minutes
                self.alerts = Set(alerts)
            }

            func values(_ text: String) -> String { text.replacing("x80", with: "x\(self.minutes)") }
        }

        private static let healthy = [
            "up": "1x80", "holdfast_leader_known": "1x80", #"holdfast_role{role="leader"}"#: "1x80",
            "holdfast_voters": "3x80",
            "holdfast_voters_reached": "3x80", "holdfast_leader_changes_total": "1x80",
            "holdfast_appends_total": "0+600x80", "holdfast_appends_refused_total": "0+1x80",
            #"holdfast_append_duration_seconds_bucket{le="0.005"}"#: "0+600x80",
            #"holdfast_append_duration_seconds_bucket{le="10.0"}"#: "0+600x80",
            #"holdfast_append_duration_seconds_bucket{le="+Inf"}"#: "0+600x80",
            // Two hours before the first minute.
            "holdfast_start_time_seconds": "-7200x80", #"holdfast_peer_connected{peer="2"}"#: "1x80",
            #"holdfast_peer_lag_seconds{peer="2"}"#: "0x80", "holdfast_may_vote": "1x80",
            "holdfast_damaged_segments": "0x80", "holdfast_damage_found_total": "4x80",
            "holdfast_disk_full": "0x80", "holdfast_disk_free_bytes": "5e8x80", "holdfast_disk_size_bytes": "1e9x80",
            #"holdfast_sync_duration_seconds_bucket{le="0.0005"}"#: "0+600x80",
            #"holdfast_sync_duration_seconds_bucket{le="10.0"}"#: "0+600x80",
            #"holdfast_sync_duration_seconds_bucket{le="+Inf"}"#: "0+600x80",
            "holdfast_certificate_end_time_seconds": "1e9x80", "holdfast_time_seconds": "1+60x80",
            #"holdfast_breaches_total{limit="pings",listener="client"}"#: "0+1x80",
            #"holdfast_wait_duration_seconds_bucket{le="0.001",part="disk"}"#: "0+60x80",
            #"holdfast_wait_duration_seconds_bucket{le="10.0",part="disk"}"#: "0+60x80",
            #"holdfast_wait_duration_seconds_bucket{le="+Inf",part="disk"}"#: "0+60x80",
            #"holdfast_wait_duration_seconds_count{part="disk"}"#: "0+60x80",
            #"holdfast_requests_refused_total{code="COMMIT_TIMEOUT",request="append"}"#: "0x80",
            #"holdfast_requests_refused_total{code="QUORUM_UNAVAILABLE",request="append"}"#: "2x80",
            #"holdfast_requests_refused_total{code="LEADERSHIP_LOST",request="append"}"#: "1x80",
            "holdfast_open_descriptors": "40x80", "holdfast_descriptor_limit": "2048x80",
        ]

        private static let cases = [
            Case("nothing is wrong", [:]),
            Case(
                "nobody leads", [#"holdfast_role{role="leader"}"#: "0x80", "holdfast_leader_known": "0x80"],
                "HoldfastNoLeader"),
            Case("the leader does not answer Prometheus", [#"holdfast_role{role="leader"}"#: "0x80"]),
            Case(
                "nobody answers",
                Dictionary(uniqueKeysWithValues: Self.healthy.keys.map { ($0, $0 == "up" ? "0x80" : "1 stale") }),
                "HoldfastNoLeader", "HoldfastNodeDown"),
            Case("no majority is reached", ["holdfast_voters_reached": "1x80"], "HoldfastQuorumLost"),
            Case("one node is cut off", [#"holdfast_voters_reached{instance="c"}"#: "1x80"]),
            Case("leaders flap", ["holdfast_leader_changes_total": "0+1x80"], "HoldfastLeaderFlaps"),
            Case("appends are refused", ["holdfast_appends_refused_total": "0+600x80"], "HoldfastAppendsRefused"),
            Case(
                "appends are slow", [#"holdfast_append_duration_seconds_bucket{le="0.005"}"#: "0+300x80"],
                "HoldfastAppendsSlow"),
            Case(
                "appends time out",
                [#"holdfast_requests_refused_total{code="COMMIT_TIMEOUT",request="append"}"#: "0+30x80"],
                "HoldfastAppendsTimeOut"),
            Case(
                "all appends time out",
                [
                    "holdfast_appends_total": "5x80",
                    #"holdfast_requests_refused_total{code="COMMIT_TIMEOUT",request="append"}"#: "0+1x80",
                ], "HoldfastAppendsRefused", "HoldfastAppendsTimeOut"),
            Case(
                "leaders lose their majority again and again",
                [#"holdfast_requests_refused_total{code="LEADERSHIP_LOST",request="append"}"#: "0+30x80"],
                "HoldfastAppendsTimeOut"),
            Case(
                "one failover interrupts many appends",
                [#"holdfast_requests_refused_total{code="LEADERSHIP_LOST",request="append"}"#: "0x40 3000x39"]),
            Case(
                "a few appends wait in vain where hardly anything is appended",
                [
                    "holdfast_appends_total": "5x80", "holdfast_appends_refused_total": "0x80",
                    #"holdfast_requests_refused_total{code="QUORUM_UNAVAILABLE",instance="c",request="append"}"#:
                        "0x9 1x9 2x9 3x9 4x9 5x9 6x9 7x9",
                ]),
            Case(
                "reads wait in vain, and appends do not",
                [#"holdfast_requests_refused_total{code="QUORUM_UNAVAILABLE",request="other"}"#: "0+300x80"]),
            Case("a node is down", [#"up{instance="c"}"#: "0x80"], "HoldfastNodeDown"),
            Case(
                "a node starts again and again",
                ["holdfast_start_time_seconds": "0+60x80", "holdfast_damage_found_total": "0x80"], "HoldfastRestarts"),
            Case("a peer is away", [#"holdfast_peer_connected{peer="2"}"#: "0x80"], "HoldfastPeerUnreachable"),
            Case("a follower lags", [#"holdfast_peer_lag_seconds{peer="2"}"#: "60x80"], "HoldfastFollowerLags"),
            Case("a node does not count", [#"holdfast_may_vote{instance="c"}"#: "0x80"], "HoldfastMayNotVote"),
            Case("damage stays", ["holdfast_damaged_segments": "1x80"], "HoldfastDamage"),
            Case("damage is found", ["holdfast_damage_found_total": "0x50 1x29"], "HoldfastDamageFound"),
            Case(
                "a start finds damage, as the one before it",
                [
                    "holdfast_damage_found_total": "4x80",
                    #"holdfast_start_time_seconds{instance="c"}"#: "-7200x50 3060x29",
                ], "HoldfastDamageFound"),
            Case("a disk is full", ["holdfast_disk_full": "1x80"], "HoldfastDiskFull"),
            Case("a disk is nearly full", ["holdfast_disk_free_bytes": "5e7x80"], "HoldfastDiskNearlyFull"),
            Case("a disk fills up", ["holdfast_disk_free_bytes": "6e8-1e6x80"], minutes: 400, "HoldfastDiskFillsUp"),
            Case(
                "a bulk import takes a third of a disk",
                ["holdfast_disk_free_bytes": "5e8x60 494000000-6e6x49 2e8x290"], minutes: 400),
            Case(
                "syncs are slow", [#"holdfast_sync_duration_seconds_bucket{le="0.0005"}"#: "0+300x80"],
                "HoldfastSyncsSlow"),
            Case(
                "a certificate ends next week", ["holdfast_certificate_end_time_seconds": "604800x80"],
                "HoldfastCertificateEnds"),
            Case(
                "a certificate ends tomorrow", ["holdfast_certificate_end_time_seconds": "97200x80"],
                "HoldfastCertificateEnds", "HoldfastCertificateEndsSoon"),
            Case("a clock is off", ["holdfast_time_seconds": "30+60x80"], "HoldfastClockOff"),
            Case(
                "somebody attacks", [#"holdfast_breaches_total{limit="pings",listener="client"}"#: "0+60x80"],
                "HoldfastBreaches"),
            Case(
                "a disk's thread hangs",
                [#"holdfast_wait_duration_seconds_bucket{le="0.001",part="disk"}"#: "0+30x80"], "HoldfastStalls"),
            Case(
                "a disk hangs for good",
                [
                    #"holdfast_wait_duration_seconds_bucket{le="0.001",part="disk",instance="c"}"#: "0+60x70 4200x9",
                    #"holdfast_wait_duration_seconds_bucket{le="10.0",part="disk",instance="c"}"#: "0+60x70 4210x9",
                ], "HoldfastHangs", "HoldfastStalls"),
            Case("descriptors run out", ["holdfast_open_descriptors": "1900x80"], "HoldfastDescriptorsShort"),
        ]

        @Test func `Each alert fires when it should, and a healthy cluster is silent`() async throws {
            guard let promtool = Self.promtool else { return try SkippedTest.note("promtool is not installed") }
            let scratch = try Scratch()
            defer { scratch.end() }
            let made = try await Program.run(["generate", "alerts", "--output", "\(scratch.path)/alerts.yml"])
            #expect(made.status == 0, "\(made.summary)")
            let checked = try await Program.run(
                ["check", "rules", "\(scratch.path)/alerts.yml"], executable: promtool)
            #expect(checked.status == 0, "\(checked.summary)")
            let names = try scratch.text("alerts.yml").matches(of: #/- alert: (\w+)/#).map { String($0.1) }
            #expect(names.count > 15 && checked.output.contains("\(names.count) rules found"), "\(checked.summary)")
            #expect(Self.cases.reduce(into: Set()) { $0.formUnion($1.alerts) } == Set(names))
            try scratch.write(
                "rule_files: [alerts.yml]\nevaluation_interval: 1m\ntests:\n" + Self.cases.map(Self.test).joined(),
                to: "alerts.test.yml")
            let tested = try await Program.run(
                ["test", "rules", "\(scratch.path)/alerts.test.yml"], executable: promtool)
            #expect(tested.status == 0, "\(tested.summary)")
        }

        @Test func `Each alert names a section of the article that says what to do`() async throws {
            let headings = try String(
                contentsOf: Self.articles.appendingPathComponent("Operations.md"), encoding: .utf8
            ).split(separator: "\n").filter { $0.hasPrefix("## ") }.map { String($0.dropFirst(3)) }
            let answer = try await Program.run(["generate", "alerts"])
            let sections = answer.output.matches(of: #/runbook: 'Operations, (.+)'/#).map { String($0.1) }
            #expect(sections.count == answer.output.matches(of: #/- alert:/#).count)
            #expect(Set(sections).subtracting(headings).isEmpty)
        }

        @Test func `Alerts and dashboard name only what a node tells`() async throws {
            let article = try String(
                contentsOf: Self.articles.appendingPathComponent("Metrics.md"), encoding: .utf8)
            var known: Set<String> = []
            for row in article.matches(of: #/\| `(\w+)` \| (\w+) \|/#) {
                let name = String(row.1)
                known.formUnion(row.2 == "histogram" ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name])
            }
            for kind in ["alerts", "grafana"] {
                let answer = try await Program.run(["generate", kind])
                let named = Set(answer.output.matches(of: #/holdfast_\w+/#).map { String($0.0) })
                #expect(named.count > 15)
                #expect(named.subtracting(known).isEmpty, "\(kind)")
            }
        }

        @Test func `The dashboard has panels that do not overlap, with queries that Prometheus understands`()
            async throws
        {
            let answer = try await Program.run(["generate", "grafana"])
            let board = try answer.json(Dashboard.self)
            #expect(board.templating.list.map(\.name) == ["source", "job"])
            #expect(Set(board.panels.map(\.id)).count == board.panels.count)
            var taken: Set<[Int]> = []
            for panel in board.panels {
                for x in panel.gridPos.x..<panel.gridPos.x + panel.gridPos.w {
                    for y in panel.gridPos.y..<panel.gridPos.y + panel.gridPos.h {
                        #expect(x < 24 && taken.insert([x, y]).inserted, "\(panel.title)")
                    }
                }
                guard panel.type != "row" else { continue }
                #expect(panel.targets?.isEmpty == false && panel.description?.isEmpty == false, "\(panel.title)")
                #expect(panel.datasource?.uid == "${source}" && panel.fieldConfig != nil, "\(panel.title)")
            }
            let queries = board.panels.flatMap { $0.targets ?? [] }.map {
                $0.expr.replacing("$__rate_interval", with: "1m").replacing("$job", with: "holdfast")
            }
            #expect(queries.count > 30 && queries.allSatisfy { $0.contains(#"job="holdfast""#) })
            guard let promtool = Self.promtool else { return try SkippedTest.note("promtool is not installed") }
            let scratch = try Scratch()
            defer { scratch.end() }
            let rules = queries.enumerated().map { "      - {record: panel_\($0), expr: '\($1)'}\n" }.joined()
            try scratch.write("groups:\n  - name: panels\n    rules:\n" + rules, to: "panels.yml")
            let checked = try await Program.run(
                ["check", "rules", "\(scratch.path)/panels.yml"], executable: promtool)
            #expect(checked.status == 0, "\(checked.summary)")
        }

        private static let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
            FileManager.default.isExecutableFile(atPath: $0)
        }

        /// Of three nodes, as promtool takes it.
        private static func test(_ test: Case) -> String {
            var series = ""
            for (name, values) in Self.healthy {
                for node in ["a", "b", "c"] {
                    let alone = test.series[Self.named(name, #"instance="\#(node)""#)]
                    let values = alone ?? test.series[name] ?? values
                    guard values != "1 stale" else { continue }
                    let full = Self.named(name, #"instance="\#(node)",job="holdfast""#)
                    series += "      - {series: '\(full)', values: '\(test.values(values))'}\n"
                }
            }
            let samples = test.alerts.sorted().map { #"{labels: '{alertname="\#($0)"}', value: 1}"# }
            return """
                  - name: \(test.name)
                    interval: 1m
                    input_series:
                \(series)    promql_expr_test:
                      - expr: 'group by (alertname) (ALERTS{alertstate="firing"})'
                        eval_time: \(test.minutes)m
                        exp_samples: [\(samples.joined(separator: ", "))]
                      - expr: 'group by (alertname) (max_over_time(ALERTS{alertstate="firing"}[\(test.minutes)m]))'
                        eval_time: \(test.minutes)m
                        exp_samples: [\(samples.joined(separator: ", "))]

                """
        }

        /// With further labels.
        private static func named(_ name: String, _ labels: String) -> String {
            name.hasSuffix("}") ? "\(name.dropLast()),\(labels)}" : "\(name){\(labels)}"
        }

        private struct Dashboard: Decodable {
            struct Templating: Decodable {
                struct Variable: Decodable { var name: String }
                var list: [Variable]
            }
            struct Source: Decodable { var uid: String }
            struct Panel: Decodable {
                struct Place: Decodable {
                    var x: Int
                    var y: Int
                    var w: Int
                    var h: Int
                }
                struct Target: Decodable { var expr: String }
                struct FieldConfig: Decodable {}
                var id: Int
                var type: String
                var title: String
                var description: String?
                var gridPos: Place
                var targets: [Target]?
                var datasource: Source?
                var fieldConfig: FieldConfig?
            }
            var panels: [Panel]
            var templating: Templating
        }
    }
}
