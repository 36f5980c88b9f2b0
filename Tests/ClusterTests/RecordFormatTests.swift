import Foundation
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    /// How records are read from lines and printed on them, and how a place in the log is said.
    @Suite struct RecordFormatTests {
        /// What no line holds as it is, and what is easily lost.
        private static let awkward: [Record] = [
            Record(value: [0, 10, 13, 255, 254]), Record(value: []), Record("plain"), Record(value: [10]),
            Record("{\"value\":\"no JSON\"}"), Record("é\u{2028}\u{7F}\t\"\\"), Record(value: Bytes(0...255)),
        ]
        private static let keyed: [Record] = [
            Record(key: Bytes("k".utf8), value: Bytes("v".utf8)), Record(key: [0, 200], value: [1]),
            Record(key: Bytes("gone".utf8), value: [], isTombstone: true),
            Record(value: Bytes("brief".utf8), timeToLiveMilliseconds: 1_500),
        ]

        @Test func `Binary records come back the same, by base64 and by JSON, through pipes and files`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let records = Self.awkward + Self.keyed
                try await cluster.observer.makeProducer().append(records)
                let count = UInt64(records.count)
                let json = try await cluster.ask("read", "--format", "json")
                #expect(json.lines.count == records.count, "\(json.summary)")
                let copied = try await cluster.ask("append", "--format", "json", "--batch", "3", input: json.output)
                #expect(copied.status == 0, "\(copied.summary)")
                let log = try await cluster.log(of: cluster.nodes[0])
                #expect(log[records.count...].map(\.record) == records)

                let base64 = try await cluster.ask(
                    "read", "--format", "base64", "--from", "1", "--to", "\(Self.awkward.count + 1)")
                let file = "\(cluster.directory)/records"
                try base64.output.write(toFile: file, atomically: true, encoding: .utf8)
                let again = try await cluster.ask("append", "--format", "base64", file, "-o", "json")
                #expect(again.status == 0, "\(again.summary)")
                let values = try await cluster.log(of: cluster.nodes[0], from: LogIndex(2 * count + 1)).map(\.record)
                #expect(values == Self.awkward)
                // As -o json has it, too.
                #expect(try await cluster.ask("read", "-o", "json", "--to", "\(count + 1)").output == json.output)
                let keyed = try await cluster.ask("append", "--format", "json", "--key", "once", input: "\"text\"\n\n")
                #expect(keyed.status == 0, "\(keyed.summary)")
                #expect(try await cluster.ask("tail", "-n", "1", "--format", "base64").lines == ["dGV4dA=="])
            }
        }

        @Test func `A line that holds no record is named, and what came before it is counted`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let json = try await cluster.ask(
                    "append", "--format", "json", "--batch", "1", input: "\"one\"\n{\"value\":\"two\"}\n{}\n\"four\"\n")
                #expect(json.status == 64, "\(json.summary)")
                let missing = "stdin, line 3: no record as JSON: column 1: a value is missing"
                #expect(json.errors.contains(missing), "\(json.summary)")
                #expect(json.errors.contains("2 records before it went into the log"), "\(json.summary)")
                let misspelt = try await cluster.ask(
                    "append", "--format", "json", input: "{\"value\":\"x\",\"kye\":\"k\"}\n")
                #expect(misspelt.status == 64, "\(misspelt.summary)")
                #expect(misspelt.errors.contains("line 1: no record as JSON: column 20: kye is not known here"))
                let base64 = try await cluster.ask("append", "--format", "base64", input: "b25l\n!\n")
                #expect(base64.status == 64 && base64.errors.contains("line 2: not base64"), "\(base64.summary)")
                #expect(base64.errors.contains("applied: no"), "\(base64.summary)")
                #expect(try await cluster.ask("read").lines == ["one", "two"])
            }
        }

        @Test func `A place is an index, an end, so many from the end, or a time`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                for number in 1...6 { try await cluster.append(["line \(number)"]) }
                let log = try await cluster.log(of: cluster.nodes[0])
                let times = try await cluster.ask("read", "--long").lines.map { line in
                    String(try #require(line.split(separator: "\t").dropFirst(2).first))
                }
                #expect(times.count == 6 && times == times.sorted())
                for (offset, time) in times.enumerated() {
                    let from = try await cluster.ask("read", "--from", "@\(time)")
                    #expect(from.lines == log[offset...].map(\.text), "\(from.summary)")
                    let to = try await cluster.ask("read", "--to", "@\(time)")
                    #expect(to.lines == log[..<offset].map(\.text), "\(to.summary)")
                }
                let places: [(arguments: [String], range: Range<Int>)] = [
                    (["--from", "@1999-12-31"], 0..<6), (["--from", "@-1h"], 0..<6),
                    (["--from", "@2500-01-01"], 0..<0),
                    (["--from", "-4", "--to", "-2"], 2..<4), (["--from", "2", "--to", "tail"], 1..<6),
                    (["--from", "first", "--to", "4", "-n", "2"], 0..<2), (["--to", "first"], 0..<0),
                    (["--to", "-9"], 0..<0), (["--from", "3", "--to", "@2500-01-01"], 2..<6),
                ]
                let server = ["--server", "\(cluster.nodes[0].client)"]
                for (arguments, range) in places {
                    let answer = try await Program.run(["read"] + arguments + server)
                    #expect(
                        answer.status == 0 && answer.lines == log[range].map(\.text), "\(arguments): \(answer.summary)")
                }
                #expect(try await cluster.ask("tail", "--from", "@\(times[3])").lines == log[3...].map(\.text))
                #expect(try await cluster.ask("tail", "--from", "5").lines == log[4...].map(\.text))
            }
        }

        @Test func `Lines that linger share a request, and progress is told where no terminal is`() async throws {
            struct Receipt: Decodable { var first, last: Int, position: String }
            try await TestCluster.with(nodes: 1) { cluster in
                let shell = Process()
                shell.executableURL = URL(fileURLWithPath: "/bin/sh")
                let slowly = "for line in a b c; do echo $line; sleep 0.1; done"
                let output = "\(cluster.directory)/said"
                shell.arguments = [
                    "-c",
                    "(\(slowly)) | '\(Program.path)' append --linger 20s --batch 3 --server \(cluster.nodes[0].client)"
                        + "; (\(slowly); sleep 1; echo d) | '\(Program.path)' append --progress --server "
                        + "\(cluster.nodes[0].client) 2> '\(output)'",
                ]
                shell.standardOutput = FileHandle.nullDevice
                try shell.run()
                try await eventually("both to be appended") { !shell.isRunning }
                #expect(shell.terminationStatus == 0)
                let log = try await cluster.log(of: cluster.nodes[0])
                #expect(log.map(\.text) == ["a", "b", "c", "a", "b", "c", "d"])
                #expect(Set(log.prefix(3).map(\.position)).count == 1)
                #expect(Set(log.suffix(4).map(\.position)).count > 1)
                let said = try String(contentsOfFile: output, encoding: .utf8)
                #expect(said.contains("4 records, 4 B, index 7"), "\(said)")
            }
        }

        @Test func `A line of many chunks is one record, and one that is too long is refused soon`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                let long = String(repeating: "x", count: 900_000)
                let answer = try await cluster.ask("append", input: "a\n\(long)\nb\n\(long)")
                #expect(answer.status == 0, "\(answer.summary)")
                #expect(try await cluster.log(of: cluster.nodes[0]).map(\.text) == ["a", long, "b", long])
                // A batch that fits by its lines fits into a small segment's frame, too.
                let lines = Array(repeating: String(repeating: "y", count: 2_096), count: 1_000)
                let batches = try await cluster.ask("append", "--linger", "1s", input: lines.joined(separator: "\n"))
                #expect(batches.status == 0, "\(batches.summary)")
                let refused = try await cluster.ask("append", input: String(repeating: "x", count: 9_000_000))
                #expect(refused.status == 1 && refused.errors.contains("applied: no"), "\(refused.summary)")
            }
        }
    }
}
