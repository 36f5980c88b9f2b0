import Foundation
import HoldfastClient
import Testing

extension ClusterTests {
    /// What nodes write about themselves.
    @Suite struct JournalTests {
        /// Stands in every value that a client may send; no other word contains it.
        private static let mark = "zq7secret"

        @Test func `No payload, key, name or token is in a journal, whatever its level and whatever is refused`()
            async throws
        {
            try await TestCluster.with(prepare: { try Self.tracing($0) }) { cluster in
                let leader = try await cluster.leader().node
                let follower = try #require(cluster.others(than: leader).first)
                for node in [leader, follower] {
                    for (number, request) in Self.requests.enumerated() {
                        let answer = try await Program.run(
                            ["--http2-prior-knowledge", "-s", "-m", "10", "http://\(node.client)\(request[0])"]
                                + request.dropFirst(), executable: "/usr/bin/curl")
                        #expect(answer.status == 0, "request \(number): \(answer.summary)")
                    }
                }
                try await cluster.append(["\(Self.mark) \(UUID())"])
                try await cluster.control("kill", "leader")
                _ = try await cluster.leader()
                try await cluster.control("down")
                var lineCount = 0
                for node in cluster.nodes {
                    let text = try String(
                        contentsOfFile: "\(cluster.directory)/run/\(node.name).log", encoding: .utf8)
                    let found = text.split(separator: "\n").filter { $0.lowercased().contains(Self.mark) }
                    #expect(found.isEmpty, "\(node.name): \(found.prefix(3))")
                    for line in text.split(separator: "\n") {
                        lineCount += 1
                        let entry = try JSONDecoder().decode(Entry.self, from: Data(line.utf8))
                        #expect(entry.node == node.number && entry.time.count == 24 && !entry.message.isEmpty)
                    }
                    // Both that were asked refused most of what they were asked.
                    let isAsked = node == leader || node == follower
                    #expect(!isAsked || text.contains("request refused"), "\(node.name)")
                }
                #expect(lineCount > 30, "they say something at trace: \(lineCount)")
            }
        }

        private struct Entry: Decodable {
            var time, level, message: String
            var node: UInt32
        }

        private static func tracing(_ place: TestCluster.Place) throws -> [String] {
            let arguments = try place.writeConfigurations { _, other in place.peer(other) }
            for number in place.numbers {
                let path = "\(place.directory)/configured/n\(number).yaml"
                let text = try String(contentsOfFile: path, encoding: .utf8)
                try (text + "log:\n  level: trace\n  format: json\n").write(
                    toFile: path, atomically: true, encoding: .utf8)
            }
            return arguments
        }

        /// Paths and what curl is told beside: what is taken, and what is refused with its own words in the answer.
        private static let requests: [[String]] = {
            let json = ["-H", "Content-Type: application/json", "-d"]
            return [
                ["/v1/records", "-d", "\(mark) payload"],
                ["/v1/records", "-H", "Idempotency-Key: \(mark)-key", "-d", "x"],
                ["/v1/records", "-H", "Authorization: Bearer \(mark)", "-H", "Cookie: \(mark)=1", "-d", "x"],
                ["/v1/records"] + json + [#"{"records":[{"key":"\#(mark)","value":"\#(mark)"}]}"#],
                ["/v1/records"] + json + [#"{"records":[{"\#(mark)":"x"}]}"#],
                ["/v1/records"] + json + [#"{"records":["\#(mark)"#],
                ["/v1/records", "-H", "Content-Type: text/\(mark)", "-d", "x"],
                ["/v1/records", "-H", "If-Match: \(mark)", "-d", "x"],
                ["/v1/records", "-H", "Holdfast-Fencing-Token: \(mark)", "-d", "x"],
                ["/v1/records?expect=\(mark)", "-d", "x"], ["/v1/records?\(mark)=1"], ["/v1/records?from=\(mark)"],
                ["/v1/\(mark)"], ["/v1/records/\(mark)"], ["/v1/records", "-X", "PATCH", "-d", mark],
                ["/v1/records", "-H", "Accept: application/\(mark)"],
                ["/v1/cursors/\(mark)", "-X", "PUT"] + json + [#"{"index":1,"hold":true}"#],
                ["/v1/cursors/\(mark)", "-X", "PUT"] + json + [#"{"index":1,"\#(mark)":2}"#],
                ["/v1/cursors/\(mark)-not"], ["/v1/records", "-H", "Last-Event-ID: \(mark)"],
                ["/v1/records", "-H", "X-Request-Id: not \(mark) an id"],
            ]
        }()
    }
}
