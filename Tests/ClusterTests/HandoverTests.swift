import Foundation
import Glibc
import HoldfastClient
import Testing

extension ClusterTests {
    /// Leadership that moves because somebody wants it to: nobody is refused anything.
    ///
    /// A load that never tries anything again asks one node only. Producers that do are told of each attempt that is made
    /// again: what a node refused must not be among them.
    @Suite struct HandoverTests {
        private static func load(_ cluster: TestCluster, at node: TestCluster.Node, seconds: UInt64) -> AppendLoad {
            AppendLoad(
                server: node.client, clients: 4, inFlight: 4, size: 100, warmUpMilliseconds: 0,
                durationMilliseconds: seconds * 1000)
        }

        @Test func `Leadership goes from node to node under load without a refused append`() async throws {
            try await TestCluster.with { cluster in
                async let result = Self.load(cluster, at: cluster.nodes[0], seconds: 4).run()
                let history = try await Load.run(on: cluster) { history in
                    for round in 0..<12 {
                        let target = cluster.nodes[round % 3]
                        let answer = try await cluster.ask("transfer-leader", "--to", "\(target.number)", "-o", "json")
                        #expect(answer.status == 0, "\(answer.summary)")
                        #expect(answer.output.hasPrefix("{\"leader\":\(target.number),"))
                        #expect(try await cluster.leader().node == target)
                        try await history.untilAcknowledged(20)
                    }
                }
                let found = await result
                #expect(found.failureCount == 0, "\(found.failure ?? "")")
                #expect(found.latenciesMicroseconds.count > 100)
                try await cluster.expectSoundness(history) { $0.utf8.count == 100 }
            }
        }

        @Test func `A rolling restart of all nodes under load: no client hears a refusal or an unknown outcome`()
            async throws
        {
            try await TestCluster.with { cluster in
                let history = try await Load.run(on: cluster) { history in
                    for node in cluster.nodes {
                        // Whoever is next leads: the hardest order.
                        let answer = try await cluster.ask("transfer-leader", "--to", "\(node.number)")
                        #expect(answer.status == 0, "\(answer.summary)")
                        try await cluster.stop(node)
                        #expect(cluster.lastWords(of: node).contains("leadership handed over"))
                        try await history.untilAcknowledged(20)
                        try await cluster.start(node)
                        try await cluster.untilCaughtUp(node)
                        try await history.untilAcknowledged(20)
                    }
                }
                #expect(history.failureCount == 0)
                #expect(history.refusals.isEmpty, "\(history.refusals.count): \(history.refusals.prefix(3))")
                #expect(history.longestGap(since: .now - .seconds(60)) < .seconds(5))
                try await cluster.expectSoundness(history)
            }
        }

        @Test func `status --wait-ready waits for a node that is behind, and says for whom in vain`() async throws {
            struct Status: Decodable {
                struct Node: Decodable {
                    struct Known: Decodable { var last_index: UInt64 }
                    var node: UInt32
                    var status: Known?
                }
                var nodes: [Node]
            }
            try await TestCluster.with { cluster in
                let follower = try #require(cluster.others(than: try await cluster.leader().node).first)
                try await cluster.kill([follower])
                let count = 20_000
                try await cluster.append((1...count).map { "\($0) " + String(repeating: "x", count: 100) })
                let gone = try await cluster.ask("status", "--wait-ready", "200ms")
                #expect(gone.status == 3, "\(gone.summary)")
                for words in [
                    "not ready after 200 ms: \(follower.name) cannot be reached", "Connection refused", "next: ",
                ] { #expect(gone.errors.contains(words), "\(gone.summary)") }
                #expect(try await cluster.ask("status", "--wait-leader", "20s").errors.contains("1 of 3 nodes"))

                try await cluster.start(follower)
                let ready = try await cluster.ask("status", "--wait-ready", "30s", "-o", "json")
                #expect(ready.status == 0, "\(ready.summary)")
                let levels = try ready.json(Status.self).nodes.map { $0.status?.last_index }
                #expect(levels == [UInt64](repeating: UInt64(count), count: 3))

                // It holds its connections, and answers nobody.
                try cluster.signal(SIGSTOP, follower)
                let hangs = try await cluster.ask("status", "--wait-ready", "200ms")
                #expect(
                    hangs.status == 3 && hangs.errors.contains("\(follower.name) takes connections"), "\(hangs.summary)"
                )
                try cluster.signal(SIGCONT, follower)
                let again = try await cluster.ask("status", "--wait-ready", "30s")
                #expect(again.status == 0, "\(again.summary)")
            }
        }

        @Test func `What a node refuses is told apart from a connection that ends`() {
            let history = History()
            history.retried("127.0.0.1:7400: SHUTTING_DOWN: this node is stopping")
            history.retried("127.0.0.1:7400: the connection was lost")
            history.retried("127.0.0.1:7400: the request was turned away")
            history.retried("127.0.0.1:7410: NOT_LEADER: this node does not lead")
            #expect(history.refusals.count == 2)
        }

        @Test func `failover-test --handover finds nothing lost, doubled or tried again`() async throws {
            struct Report: Decodable { var kind: String, kills, retried, acknowledged, lost, duplicated: Int }
            let answer = try await Program.run(
                ["failover-test", "--handover", "--kills", "3", "-o", "json", "-q"], seconds: 60)
            #expect(answer.status == 0, "\(answer.summary)")
            let report = try answer.json(Report.self)
            #expect(report.kind == "handover" && report.kills == 3 && report.acknowledged > 300)
            #expect(report.retried == 0 && report.lost == 0 && report.duplicated == 0)
        }

        @Test func `Nodes that are stopped one after the other under load refuse nothing`() async throws {
            try await TestCluster.with { cluster in
                async let result = Self.load(cluster, at: cluster.nodes[0], seconds: 8).run()
                for round in 0..<2 {
                    // Each of them leads when its turn comes.
                    for node in cluster.nodes.dropFirst() {
                        let answer = try await cluster.ask("transfer-leader", "--to", "\(node.number)")
                        #expect(answer.status == 0, "\(answer.summary)")
                        try await cluster.stop(node)
                        #expect(cluster.lastWords(of: node).contains("leadership handed over"), "round \(round)")
                        try await cluster.start(node)
                        try await cluster.untilCaughtUp(node)
                    }
                }
                let found = await result
                #expect(found.failureCount == 0, "\(found.failure ?? "")")
                #expect(found.latenciesMicroseconds.count > 100)
            }
        }
    }
}
