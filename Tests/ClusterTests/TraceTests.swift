import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// The spans that real nodes write for a caller that traces its append.
    @Suite struct TraceTests {
        private struct Line: Decodable {
            struct Resource: Decodable { var scopeSpans: [Scope] }
            struct Scope: Decodable { var spans: [Span] }
            var resourceSpans: [Resource]
        }

        struct Span: Decodable, Hashable {
            var traceId, spanId, name: String
            var parentSpanId: String?
            var attributes: [Attribute]

            var requestID: String? { self.attributes.first { $0.key == "holdfast.request_id" }?.value.stringValue }
        }

        struct Attribute: Decodable, Hashable {
            struct Value: Decodable, Hashable { var stringValue: String? }
            var key: String
            var value: Value
        }

        private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        private static let caller = "00f067aa0ba902b7"
        private static let requestID = "trace-tests:1"

        @Test func `An append at a follower is one trace, in the files of both nodes`() async throws {
            try await TestCluster.with(prepare: { try Self.tracing($0) }) { cluster in
                let leader = try await cluster.leader().node
                let follower = try #require(cluster.others(than: leader).first)
                let asleep = try #require(cluster.others(than: leader).last)
                for flags in ["00", "01"] {
                    let answer = try await Self.append(at: follower, flags: flags)
                    #expect(answer.status == 0 && answer.output.hasSuffix("201"), "\(answer.summary)")
                }
                try await eventually("the leader's spans", state: { "\(Self.spans(of: leader, in: cluster))" }) {
                    Self.spans(of: leader, in: cluster).count >= 5
                }
                let outer = Self.spans(of: follower, in: cluster)
                #expect(outer.map(\.name) == ["append"], "the one that is sampled, and no other")
                #expect(outer.first?.parentSpanId == Self.caller)
                let inner = Self.spans(of: leader, in: cluster)
                #expect((outer + inner).allSatisfy { $0.traceId == Self.trace && $0.requestID == Self.requestID })
                let append = try #require(inner.first { $0.name == "append" })
                #expect(append.parentSpanId == outer.first?.spanId)
                let below = inner.filter { $0.parentSpanId == append.spanId }.map(\.name).sorted()
                #expect(below == ["append.commit", "append.replicate", "append.replicate", "append.sync"])
                #expect(Set((outer + inner).map(\.spanId)).count == 6)
                #expect(Self.spans(of: asleep, in: cluster).isEmpty)
                try await Self.rotate(leader, in: cluster)
            }
        }

        @Test func `A place where no spans can be written is refused before anything starts`() async throws {
            let base = try Ports.freeBase(nodes: 1)
            let answer = try await Program.run([
                "serve", "--node-id", "1", "--data-dir", "data", "--trace-output", "/nowhere/spans",
                "--listen", "127.0.0.1:\(base)", "--peer-listen", "127.0.0.1:\(base + 1)",
            ])
            #expect(answer.status == 78, "\(answer.summary)")
            #expect(answer.errors.contains("spans cannot be written to /nowhere/spans (trace.output)"))
            #expect(answer.errors.contains("nothing was started"))
        }

        /// As logrotate does it: the file is moved away, then SIGHUP.
        private static func rotate(_ node: TestCluster.Node, in cluster: TestCluster) async throws {
            let path = Self.path(of: node, in: cluster.directory)
            try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
            try cluster.signal(SIGHUP, node)
            try await eventually("the file to be there anew") { FileManager.default.fileExists(atPath: path) }
            #expect(try await Self.append(at: node, flags: "01").output.hasSuffix("201"))
            try await eventually("a span in it") { !Self.spans(of: node, in: cluster).isEmpty }
        }

        private static func append(at node: TestCluster.Node, flags: String) async throws -> Program.Answer {
            try await Program.run(
                [
                    "--http2-prior-knowledge", "-s", "-m", "10", "-w", "%{http_code}", "-o", "/dev/null", "-H",
                    "traceparent: 00-\(self.trace)-\(self.caller)-\(flags)", "-H", "X-Request-Id: \(self.requestID)",
                    "-d", "hi",
                    "http://\(node.client)/v1/records",
                ], executable: "/usr/bin/curl")
        }

        private static func path(of node: TestCluster.Node, in directory: String) -> String {
            "\(directory)/spans-\(node.number).jsonl"
        }

        private static func spans(of node: TestCluster.Node, in cluster: TestCluster) -> [Span] {
            let text = (try? String(contentsOfFile: self.path(of: node, in: cluster.directory), encoding: .utf8)) ?? ""
            return text.split(separator: "\n").compactMap {
                try? JSONDecoder().decode(Line.self, from: Data($0.utf8))
            }.flatMap { $0.resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans) }
        }

        private static func tracing(_ place: TestCluster.Place) throws -> [String] {
            try place.writeConfigurations(adding: { "trace:\n  output: \(place.directory)/spans-\($0).jsonl\n" })
        }
    }
}
