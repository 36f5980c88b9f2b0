import Foundation
import HoldfastClient
import Testing

extension ClusterTests {
    /// What nodes write about themselves.
    @Suite struct JournalTests {
        @Test func `No payload, key, name or token is in a journal, whatever its level and whatever is refused`()
            async throws
        {
            try await TestCluster.with(prepare: { try Self.tracing($0) }) { cluster in
                let leader = try await cluster.leader().node
                let follower = try #require(cluster.others(than: leader).first)
                for node in [leader, follower] {
                    for (number, request) in Marked.requests.enumerated() {
                        let answer = try await Program.run(
                            ["--http2-prior-knowledge", "-s", "-m", "10", "http://\(node.client)\(request[0])"]
                                + request.dropFirst(), executable: "/usr/bin/curl")
                        #expect(answer.status == 0, "request \(number): \(answer.summary)")
                    }
                }
                try await cluster.append(["\(Marked.word) \(UUID())"])
                try await cluster.control("kill", "leader")
                _ = try await cluster.leader()
                try await cluster.control("down")
                var lineCount = 0
                for node in cluster.nodes {
                    let text = cluster.words(of: node)
                    let found = text.split(separator: "\n").filter { $0.lowercased().contains(Marked.word) }
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

        @Test func `An entry that warns and does not say what to do is found in both formats, and no other`() throws {
            let lacking = [
                #"time=2026-11-28T01:33Z level=warning node=1 message="a peer is refused" peer=2"#,
                #"time=2026-11-28T01:33Z level=error message=damage detail="it has \" hint=x""#,
                #"{"time":"2026-11-28T01:33Z","level":"critical","node":1,"message":"the log failed"}"#,
            ]
            let sound = [
                #"time=2026-11-28T01:33Z level=notice node=1 message=serving"#,
                #"time=2026-11-28T01:33Z level=warning node=1 message="is \"refused\"" peer=2 hint="start it""#,
                #"time=2026-11-28T01:33Z level=warning node=1 message=refused hint=wait"#,
                #"time=2026-11-28T01:33Z level=warning node=1 message="repeated 7 times more: refused" count=7"#,
                #"{"time":"2026-11-28T01:33Z","level":"error","node":1,"message":"damage","hint":"wait"}"#,
            ]
            for line in lacking { #expect(try #require(JournalLine(line[...])).lacksHint, "\(line)") }
            for line in sound { #expect(try #require(JournalLine(line[...])).lacksHint == false, "\(line)") }
            #expect(JournalLine("holdfast: 127.0.0.1:7400 is in use") == nil)
        }

        private struct Entry: Decodable {
            var time, level, message: String
            var node: UInt32
        }

        private static func tracing(_ place: TestCluster.Place) throws -> [String] {
            try place.writeConfigurations(adding: { _ in "log:\n  level: trace\n  format: json\n" })
        }
    }
}
