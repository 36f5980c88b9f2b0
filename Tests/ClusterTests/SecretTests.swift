import Foundation
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    /// What a cluster with TLS and tokens keeps to itself, however closely it is listened to.
    @Suite struct SecretTests {
        @Test func `No payload, token or key is in a journal or a span of a cluster with TLS and tokens`()
            async throws
        {
            try await TestCluster.with(spare: 1, isSecure: true) { cluster in
                let run = SecretRun(cluster)
                let tokens = try await run.makeTokens()
                try await run.listenClosely()
                try await cluster.showing(tokens.all) { cluster in
                    for node in cluster.nodes { try await cluster.start(node) }
                    _ = try await cluster.leader()
                    var asked: [SecretRun.Asked] = []
                    for node in cluster.nodes { asked += try await run.ask(node, token: tokens.all) }
                    for node in cluster.nodes { try await run.askAdmin(node, token: tokens.all) }
                    try await run.askUnlawfully(at: cluster.nodes[0], reader: tokens.reader)
                    try await run.openSessions(of: cluster, token: tokens.all)
                    try await run.command(cluster)
                    try await cluster.control("down")
                    let journals = run.journals
                    Self.expectThatAllIsTold(journals, asked)
                    Self.expectThatAllIsTraced(run.spans, asked)
                    let secrets = try run.secrets(tokens)
                    for (name, text) in journals.merging(run.spans, uniquingKeysWith: +) {
                        let found = SecretRun.lines(of: text, with: secrets)
                        #expect(found.isEmpty, "\(name): \(found.prefix(3))")
                    }
                    // Who finds none of them in what the nodes wrote finds each where it is.
                    for secret in secrets {
                        let text = "level=debug\nlevel=trace detail=\"\(secret)\""
                        #expect(SecretRun.lines(of: text, with: secrets).count == 1)
                    }
                }
            }
        }

        /// Else there would be nothing in them because they are silent.
        private static func expectThatAllIsTold(_ journals: [String: String], _ asked: [SecretRun.Asked]) {
            let refused = asked.filter { $0.status >= 400 }
            #expect(refused.count > 30, "\(refused.count)")
            for request in refused {
                let isTold = journals.values.contains { $0.contains(request.id) }
                #expect(isTold, "\(request.id), which was answered with \(request.status)")
            }
            #expect(journals.count == 4, "\(journals.keys)")
            for (number, level) in [(1, #""level":"debug""#), (2, "level=debug"), (3, #""level":"debug""#)] {
                #expect(journals["n\(number).log"]?.contains(level) == true, "n\(number)")
            }
            let all = journals.values.joined()
            for words in [
                "this node leads", "following", "serving", "connection refused", "the log was trimmed", "stopped",
                "certificate is that of client billing",
            ] { #expect(all.contains(words), "\(words)") }
        }

        private static func expectThatAllIsTraced(_ spans: [String: String], _ asked: [SecretRun.Asked]) {
            let all = spans.values.joined()
            let appended = asked.filter { $0.isAppend && $0.status < 300 }
            #expect(appended.count >= 9, "\(appended)")
            for request in appended { #expect(all.contains(request.id), "\(request.id)") }
            for name in ["append", "append.sync", "append.replicate", "append.commit"] {
                #expect(all.contains(#""name":"\#(name)""#), "\(name)")
            }
            #expect(all.contains("holdfast.batches"), "a session is among them")
        }
    }
}
