import Foundation
import Testing

extension ClusterTests {
    /// Nodes of two builds that share no version of the peer protocol.
    @Suite struct VersionTests {
        private struct Explanation: Decodable {
            struct Finding: Decodable {
                var code: String
                var node: UInt32?
                var next: String?
            }
            var findings: [Finding]
        }

        private static let words = "a peer speaks another version of the peer protocol"

        /// The entries in a node's journal of a peer that speaks another version, by their last sentence.
        private static func told(by node: TestCluster.Node, in cluster: TestCluster) -> [String] {
            cluster.words(of: node).split(separator: "\n").filter { $0.contains(Self.words) }.map(String.init)
        }

        /// Debug builds pass for another build where a test asks for it.
        @Test(.enabled(if: Program.isDebugBuild, "a release passes for no other build"))
        func `A node of another protocol disturbs nobody, is named by all, and joins again with the right one`()
            async throws
        {
            try await TestCluster.with { cluster in
                try await cluster.append(["one"])
                try await cluster.untilLevel()
                let (leader, term) = try await cluster.leader()
                let odd = try #require(cluster.others(than: leader).first)
                let old = cluster.without(odd)
                try await cluster.stop(odd)
                try await cluster.start(odd, environment: ["HOLDFAST_TEST_PEER_PROTOCOL": "2"])

                for node in old.nodes {
                    try await eventually("\(node.name) to name \(odd.name)", state: { cluster.lastWords(of: node) }) {
                        Self.told(by: node, in: cluster).contains {
                            $0.contains("peer=\(odd.number) ")
                                && $0.contains("it speaks version 2, this node version 1")
                                && $0.contains("hint=")
                        }
                    }
                }
                try await eventually("\(odd.name) to name both", state: { cluster.lastWords(of: odd) }) {
                    let told = Self.told(by: odd, in: cluster)
                    return old.nodes.allSatisfy { node in
                        told.contains {
                            $0.contains("peer=\(node.number) ")
                                && $0.contains("it speaks version 1, this node version 2")
                        }
                    }
                }
                let answer = try await cluster.ask("explain", "-o", "json")
                #expect(answer.status == 3, "\(answer.summary)")
                let finding = try answer.json(Explanation.self).findings.first { $0.code == "other_protocol" }
                #expect(finding?.node == odd.number && finding?.next != nil, "\(answer.summary)")

                // It has heard of nobody for several election timeouts, and nobody of it.
                let role = { await cluster.status(odd)?.role }
                try await eventually("\(odd.name) to look for a leader") { await role() == "preCandidate" }
                try await cluster.append((1...200).map { "line \($0)" })
                let now = try await cluster.leader()
                #expect(now.node == leader && now.term == term)
                #expect(await cluster.status(odd)?.lastIndex == 1)

                try await cluster.stop(odd)
                try await cluster.start(odd)
                try await cluster.untilLevel()
                #expect(try await cluster.leader().term == term)
                let well = try await cluster.ask("explain")
                #expect(well.status == 0, "\(well.summary)")
                #expect(try await cluster.log(of: odd).count == 201)
            }
        }
    }
}
