import Foundation
import Testing

extension ClusterTests {
    /// Benchmarks of clusters: that they measure what they say, and leave nothing behind; not how fast it was.
    @Suite struct BenchTests {
        /// `holdfast bench ... -o json`.
        private struct Table: Decodable {
            struct Row: Decodable {
                var work: String
                var clients: Int
                var bytes_per_second, records_per_second, wire_bytes_per_second: Int?
                var p50_us, p99_us, max_us: Double?
                var gap_p50_ms, gap_max_ms: Double?
            }
            struct Detail: Decodable {
                struct Node: Decodable { var node: Int, anonymous_bytes_max: Int, cpu_seconds: Double }
                var nodes: [Node]
                var connections: Int
                var reader_records_per_second_min, reader_records_per_second_max: Int?
                var wire_share: Double?
            }
            var rows: [Row]
            var details: [Detail]
        }

        /// Runs it with a directory of its own, and expects that to be empty afterwards.
        private static func bench(_ arguments: [String]) async throws -> (table: Table, answer: Program.Answer) {
            let scratch = try Scratch()
            defer { scratch.end() }
            let answer = try await Program.run(
                ["bench"] + arguments + ["--data-dir", "\(scratch.path)/bench", "-o", "json"], seconds: 100)
            try #require(answer.status == 0, "\(answer.summary)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
            return (try answer.json(Table.self), answer)
        }

        @Test func `bench append has a row for each number of clients, with all columns and what nodes used`()
            async throws
        {
            let (table, answer) = try await Self.bench([
                "append", "--clients", "1,16", "--connections", "4", "--runs", "2", "--duration", "200ms",
            ])
            #expect(table.rows.map(\.clients) == [1, 16] && table.details.map(\.connections) == [1, 4])
            for row in table.rows {
                let (p50, p99, max) = try (#require(row.p50_us), #require(row.p99_us), #require(row.max_us))
                #expect(row.work == "append" && p50 > 0 && p50 <= p99 && p99 <= max)
                let records = try #require(row.records_per_second)
                #expect(records > 0 && row.bytes_per_second ?? 0 >= records * 100)
                #expect(row.wire_bytes_per_second ?? 0 > 0)
            }
            for detail in table.details {
                #expect(detail.nodes.map(\.node) == [1, 2, 3])
                #expect(detail.nodes.allSatisfy { $0.anonymous_bytes_max > 1 << 20 && $0.cpu_seconds > 0 })
            }
            let columns = [
                "work", "clients", "in_flight", "size", "policy", "records_per_second", "bytes_per_second",
                "wire_bytes_per_second", "p50_us", "p99_us", "max_us",
            ]
            for column in columns { #expect(answer.output.contains("\"\(column)\":"), "\(column)") }
        }

        @Test func `bench append has its nodes hold more connections than they do by default`() async throws {
            let (table, answer) = try await Self.bench(
                ["append", "--clients", "300", "--nodes", "1", "--runs", "1", "--duration", "2s"])
            #expect(table.details.map(\.connections) == [300] && table.rows.map(\.clients) == [300])
            #expect(table.rows[0].records_per_second ?? 0 > 0)
            #expect(!answer.errors.contains("failed; the first"), "\(answer.summary)")
        }

        @Test func `bench append measures sessions, too`() async throws {
            let (table, _) = try await Self.bench([
                "append", "--session", "--clients", "2", "--in-flight", "8", "--batch", "4", "--runs", "1",
                "--duration", "200ms",
            ])
            let row = try #require(table.rows.first)
            #expect(row.work == "session" && row.records_per_second ?? 0 > 0)
            #expect(row.bytes_per_second ?? 0 >= (row.records_per_second ?? 0) * 100)
        }

        @Test func `bench append has as many sessions as it takes, and again in the next run`() async throws {
            let (table, answer) = try await Self.bench([
                "append", "--session", "--clients", "256", "--nodes", "1", "--runs", "2", "--duration", "500ms",
            ])
            #expect(table.rows.map(\.clients) == [256] && table.rows[0].records_per_second ?? 0 > 0)
            #expect(table.details.map(\.connections) == [256])
            #expect(!answer.errors.contains("failed; the first"), "\(answer.summary)")
        }

        @Test(arguments: ["always", "never"])
        func `bench append says how many bytes travel for each byte of the log`(compression: String) async throws {
            let (table, answer) = try await Self.bench([
                "append", "--session", "--clients", "1", "--in-flight", "4", "--batch", "400", "--size", "200",
                "--data", "json", "--compression", compression, "--runs", "1", "--duration", "200ms",
            ])
            let share = try #require(table.details.first?.wire_share)
            if compression == "always" {
                #expect(share > 0 && share < 0.5, "\(answer.summary)")
            } else {
                #expect(share > 0.9 && share < 1.1, "\(answer.summary)")
            }
        }

        @Test(arguments: [[], ["--handover"]])
        func `bench failover has a gap for each time that the leader went`(flags: [String]) async throws {
            let (table, _) = try await Self.bench(["failover", "--kills", "3"] + flags)
            let row = try #require(table.rows.first)
            #expect(row.work == (flags.isEmpty ? "failover" : "handover"))
            let (median, worst) = try (#require(row.gap_p50_ms), #require(row.gap_max_ms))
            #expect(median > 0 && median <= worst)
        }

        @Test func `bench catch-up measures the follower, a copy, and appends before and meanwhile`() async throws {
            let (table, _) = try await Self.bench(["catch-up", "--size", "8MiB", "--runs", "1"])
            #expect(table.rows.map(\.work) == ["catch-up", "cp and sync", "append before", "append meanwhile"])
            #expect(table.rows.allSatisfy { $0.bytes_per_second ?? 0 > 0 })
            #expect(table.rows[0].wire_bytes_per_second ?? 0 > 0)
            #expect(table.rows.suffix(2).allSatisfy { $0.p99_us ?? 0 > 0 })
            #expect(table.details[0].nodes.count == 3)
        }

        @Test(arguments: [[], ["--follow"]])
        func `bench read has a row for each number of readers, and the slowest and fastest of them`(flags: [String])
            async throws
        {
            let (table, answer) = try await Self.bench(
                [
                    "read", "--clients", "1,3", "--log-size", "200KiB", "--page", "50", "--runs", "1", "--duration",
                    "1s",
                ] + flags)
            #expect(table.rows.map(\.clients) == [1, 3])
            for (row, detail) in zip(table.rows, table.details) {
                #expect(row.work == (flags.isEmpty ? "read" : "follow"), "\(answer.summary)")
                let records = try #require(row.records_per_second)
                #expect(records > 0 && row.bytes_per_second ?? 0 >= records * 100, "\(answer.summary)")
                let (slowest, fastest) = try (
                    #require(detail.reader_records_per_second_min), #require(detail.reader_records_per_second_max)
                )
                #expect(slowest > 0 && slowest <= fastest, "\(answer.summary)")
                #expect(row.p50_us ?? 0 > 0 && row.p50_us ?? 0 <= row.max_us ?? 0)
            }
        }

        @Test func `bench read of a cluster that runs reads what is there, and writes nothing`() async throws {
            try await TestCluster.with { cluster in
                try await cluster.append((1...120).map { "line \($0)" })
                let answer = try await cluster.ask(
                    "bench", "read", "--clients", "2", "--runs", "1", "--page", "50", "-o", "json")
                #expect(answer.status == 0, "\(answer.summary)")
                let row = try #require(try answer.json(Table.self).rows.first)
                #expect(row.records_per_second ?? 0 > 0 && row.wire_bytes_per_second == nil)
                let node = try await cluster.leader().node
                #expect(await cluster.status(node)?.lastIndex == 120)
            }
        }

        @Test func `bench disk measures each kind of write in each kind of file, and leaves nothing`() async throws {
            struct Disk: Decodable {
                struct Row: Decodable {
                    var work, space: String
                    var size, writes_per_second, bytes_per_second: Int
                    var p50_us, p99_us, max_us: Double
                }
                var rows: [Row]
            }
            let scratch = try Scratch()
            defer { scratch.end() }
            let answer = try await Program.run([
                "bench", "disk", "--dir", scratch.path, "--duration", "20ms", "--file-size", "2MiB", "-o", "json",
            ])
            #expect(answer.status == 0, "\(answer.summary)")
            let rows = try answer.json(Disk.self).rows
            #expect(rows.map(\.size) == [4_096, 65_536, 1 << 20, 1 << 20].flatMap { [$0, $0, $0] })
            #expect(Set(rows.map(\.space)) == ["growing", "allocated", "overwritten"])
            #expect(Set(rows.map(\.work)) == ["write + fdatasync", "sequential write"])
            #expect(rows.allSatisfy { $0.bytes_per_second > 0 && $0.p50_us <= $0.p99_us && $0.p99_us <= $0.max_us })
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
        }

        @Test func `What cannot be measured is refused before anything starts`() async throws {
            for arguments in [
                ["append", "--clients", "10", "--connections", "4"], ["append", "--runs", "0"],
                ["append", "--batch", "2"],
                ["append", "--fsync", "never"], ["failover", "--nodes", "1"], ["failover", "--kills", "0"],
                ["catch-up", "--size", "1"], ["catch-up", "--nodes", "2"],
            ] {
                let answer = try await Program.run(["bench"] + arguments)
                #expect(answer.status == 64, "\(arguments): \(answer.summary)")
            }
        }
    }
}
