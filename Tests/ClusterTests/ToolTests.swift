import Foundation
import Testing

extension ClusterTests {
    /// The commands about data directories.
    @Suite struct ToolTests {
        @Test func `verify runs beside a node, and says what it expects instead of a file`() async throws {
            try await TestCluster.with { cluster in
                try await cluster.append(["one", "two"])
                let directories = cluster.nodes.map(\.dataDirectory)
                let answer = try await Program.run(["verify", "-o", "json"] + directories)
                #expect(answer.status == 0, "\(answer.summary)")
                let reports = try answer.jsonLines(VerifyReport.self)
                #expect(reports.count == 3 && reports.allSatisfy { $0.findings.allSatisfy { !$0.damage } })
                let alone = try await Program.run(["verify", "\(directories[0])/000000.wal"])
                #expect(alone.status == 0 && alone.output.contains("000000.wal"), "\(alone.summary)")
                for path in ["\(directories[0])/IDENTITY", "/absent"] {
                    let refused = try await Program.run(["verify", path])
                    #expect(refused.status == 64 && refused.errors.contains("next: "), "\(refused.summary)")
                }
            }
        }

        @Test func `inspect takes a frame apart, and names the one that is meant`() async throws {
            struct Frame: Decodable {
                struct Value: Decodable { var value: String }
                var position, kind, header_checksum, previous_checksum, previous_checksum_expected: String
                var offset, length: Int
                var whole: Bool
                var values: [Value]
            }
            struct Line: Decodable { var offset: Int, kind: String }
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append(["needle"])
                let directory = cluster.nodes[0].dataDirectory
                let listed = try await Program.run(["inspect", "segment", directory, "0", "-o", "json"])
                let line = try #require(try listed.jsonLines(Line.self).last { $0.kind == "records" })
                let place = "0:\(line.offset)"
                let frame = try await Program.run(["inspect", "frame", directory, place, "-o", "json"])
                let view = try frame.json(Frame.self)
                #expect(view.whole && view.values.map(\.value) == ["needle"] && view.position == place)
                #expect(view.previous_checksum == view.previous_checksum_expected)
                let table = try await Program.run(["inspect", "frame", directory, place])
                #expect(table.output.contains("needle") && table.output.contains(view.header_checksum))
                let within = try await Program.run(["inspect", "frame", directory, "0:\(line.offset + 8)"])
                #expect(within.status == 64 && within.errors.contains("from \(line.offset) to"), "\(within.summary)")
                for file in ["vote", "durable", "identity"] {
                    let answer = try await Program.run(["inspect", file, directory])
                    #expect(answer.status == 0 && !answer.output.isEmpty, "\(answer.summary)")
                }
                let absent = try await Program.run(["inspect", "segment", directory, "7"])
                #expect(absent.status == 64 && absent.errors.contains("000000.wal"), "\(absent.summary)")
            }
        }

        @Test func `inspect frame shows text with tabs as text, and anything else in hexadecimal`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append(["tab\there", "back\\slash", "bell\u{7}"])
                let place = try #require(try await cluster.log(of: cluster.nodes[0]).first?.position)
                let shown = try await Program.run(["inspect", "frame", cluster.nodes[0].dataDirectory, "\(place)"])
                for value in [#""tab\there""#, #""back\\slash""#, "0x62656c6c07"] {
                    #expect(shown.output.contains(value), "\(value): \(shown.summary)")
                }
            }
        }

        @Test func `inspect shows both slots of VOTE and DURABLE, and which of them are bad`() async throws {
            struct Slot: Decodable { var valid: Bool, term: UInt64?, write: UInt64?, voted_for: UInt32?, clean: Bool? }
            try await TestCluster.with(nodes: 1) { cluster in
                try await cluster.append(["a record"])
                let directory = cluster.nodes[0].dataDirectory
                let votes = try await Program.run(["inspect", "vote", directory, "-o", "json"]).json([Slot].self)
                let vote = try #require(votes.max { $0.write ?? 0 < $1.write ?? 0 })
                #expect(votes.count == 2 && vote.valid && vote.term == 1 && vote.voted_for == 1)
                try await cluster.control("down")
                let closed = try await Program.run(["inspect", "durable", directory, "-o", "json"]).json([Slot].self)
                #expect(closed.max { $0.write ?? 0 < $1.write ?? 0 }?.clean == true)
                let file = try FileHandle(forUpdating: URL(fileURLWithPath: "\(directory)/DURABLE"))
                try file.write(contentsOf: Data(repeating: 0xA5, count: 64))
                let torn = try await Program.run(["inspect", "durable", directory, "-o", "json"])
                #expect(try torn.status == 0 && torn.json([Slot].self).map(\.valid) == [false, true])
                try file.seek(toOffset: 2048)
                try file.write(contentsOf: Data(repeating: 0xA5, count: 64))
                let bad = try await Program.run(["inspect", "durable", directory])
                #expect(bad.status == 65 && bad.errors.contains("both slots of DURABLE are damaged"), "\(bad.summary)")
            }
        }

        @Test func `repair plans, refuses a running node, and takes what is damaged from a peer`() async throws {
            try await TestCluster.with { cluster in
                try await cluster.append((0..<100).map { "record \($0)" })
                try await cluster.untilLevel()
                // Whoever leads while the others stop may write a frame that nobody else has, so a follower goes first.
                let leader = try await cluster.leader().node
                let node = cluster.others(than: leader)[0]
                let (damaged, peer) = (node.dataDirectory, leader.dataDirectory)
                let running = try await Program.run(["repair", damaged, "--plan"])
                #expect(running.status == 1 && running.errors.contains("in use by pid "), "\(running.summary)")
                try await cluster.stop(node)
                try await cluster.control("down")
                let path = "\(damaged)/000000.wal"
                let good = try Data(contentsOf: URL(fileURLWithPath: path))
                var bytes = good
                bytes[bytes.count / 2] ^= 0x10
                try bytes.write(to: URL(fileURLWithPath: path))

                let unplanned = try await Program.run(["repair", damaged, "--apply"])
                #expect(unplanned.status == 1 && unplanned.errors.contains("--plan"), "\(unplanned.summary)")
                let lossy = try await Program.run(["repair", damaged, "--plan"])
                #expect(lossy.status == 0 && lossy.output.contains("--accept-loss"), "\(lossy.summary)")
                let refused = try await Program.run(["repair", damaged, "--apply"])
                #expect(refused.status == 1 && refused.errors.contains("nothing was done"), "\(refused.summary)")
                let planned = try await Program.run(["repair", damaged, "--plan", "--peer", peer])
                #expect(planned.status == 0 && planned.output.contains("verified whole"), "\(planned.summary)")
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
                let applied = try await Program.run(["repair", damaged, "--apply"])
                #expect(applied.status == 0, "\(applied.summary)")
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == good)
                #expect(try Data(contentsOf: URL(fileURLWithPath: path + ".damaged")) == bytes)
                let again = try await Program.run(["repair", damaged, "--apply"])
                #expect(again.status == 0 && again.output.contains("applied before"), "\(again.summary)")
                try await cluster.expectSound(node)
            }
        }

        @Test func `bench log measures, and leaves nothing behind`() async throws {
            struct Table: Decodable { var rows: [[String: Field]] }
            let scratch = try Scratch()
            defer { scratch.end() }
            let fields = [
                "work", "policy", "clients", "size", "records_per_second", "bytes_per_second", "p50_us", "p99_us",
                "max_us",
            ]
            for work in [
                ["append", "--clients", "1,2", "--duration", "20ms"], ["rotate", "--duration", "20ms"],
                ["read", "--log-size", "1MiB"], ["recover", "--log-size", "8MiB", "--segment-size", "1MiB"],
                ["growth", "--log-size", "3MiB", "--segment-size", "1MiB"],
            ] {
                let answer = try await Program.run(
                    ["bench", "log"] + work + ["--runs", "1", "--dir", scratch.path, "-o", "json"], seconds: 60)
                #expect(answer.status == 0, "\(answer.summary)")
                let table = try answer.json(Table.self)
                #expect(
                    !table.rows.isEmpty && table.rows.allSatisfy { Set($0.keys) == Set(fields) }, "\(answer.output)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
            let nowhere = try await Program.run(["bench", "log", "append", "--dir", "/absent"])
            #expect(nowhere.status == 64 && nowhere.errors.contains("--dir"), "\(nowhere.summary)")
        }

        /// A number, a text, or `null` where nothing was timed.
        private struct Field: Decodable {
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if container.decodeNil() { return }
                if (try? container.decode(Double.self)) == nil { _ = try container.decode(String.self) }
            }
        }
    }
}
