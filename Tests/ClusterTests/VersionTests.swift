import Foundation
import TestSupport
import Testing

extension ClusterTests {
    /// Nodes of two builds: their peer protocols and their files.
    @Suite struct VersionTests {
        private struct Explanation: Decodable {
            struct Finding: Decodable {
                var code: String
                var node: UInt32?
                var next: String?
            }
            var findings: [Finding]
        }

        /// Debug builds pass for another build where a test asks for it.
        private static let variable = "HOLDFAST_TEST_PEER_PROTOCOL"
        private static let words = "a peer speaks another version of the peer protocol"

        /// The entries in a node's journal of a peer that speaks another version, by their last sentence.
        private static func told(by node: TestCluster.Node, in cluster: TestCluster) -> [String] {
            cluster.words(of: node).split(separator: "\n").filter { $0.contains(Self.words) }.map(String.init)
        }

        /// The version on which a node last agreed with a peer, as its journal says.
        private static func agreed(_ node: TestCluster.Node, with peer: TestCluster.Node, in cluster: TestCluster)
            -> String?
        {
            let lines = cluster.words(of: node).split(separator: "\n")
            let last = lines.last {
                $0.contains("agreed with a peer on a version of the peer protocol")
                    && $0.contains("peer=\(peer.number) ")
            }
            return last.flatMap { $0.firstMatch(of: /detail="version (\d+):/) }.map { String($0.1) }
        }

        @Test(.enabled(if: Program.isDebugBuild, "a release passes for no other build"))
        func `Nodes go over to a later protocol one after the other under load, and then leave the earlier one`()
            async throws
        {
            try await TestCluster.with { cluster in
                var later: Set<TestCluster.Node> = []
                let history = try await Load.run(on: cluster) { history in
                    for versions in ["1-2", "2"] {
                        for node in cluster.nodes {
                            try await cluster.stop(node)
                            try await cluster.start(node, environment: [Self.variable: versions])
                            try await cluster.untilCaughtUp(node)
                            try await history.untilAcknowledged(20)
                            guard versions == "1-2" else { continue }
                            later.insert(node)
                            for (one, other) in later.flatMap({ one in cluster.others(than: one).map { (one, $0) } }) {
                                try await eventually("\(one.name) and \(other.name) to agree") {
                                    Self.agreed(one, with: other, in: cluster) == (later.contains(other) ? "2" : "1")
                                }
                            }
                        }
                    }
                }
                #expect(history.failureCount == 0)
                for node in cluster.nodes { #expect(Self.told(by: node, in: cluster).isEmpty, "\(node.name)") }
                try await cluster.expectSoundness(history)
            }
        }

        @Test func `A node does not start on files of a later format, and leaves them as they are`() async throws {
            try await TestCluster.with { cluster in
                try await cluster.append(["one"])
                try await cluster.untilLevel()
                let node = try #require(cluster.others(than: try await cluster.leader().node).first)
                try await cluster.stop(node)
                let path = "\(node.dataDirectory)/000000.wal"
                let own = try Data(contentsOf: URL(fileURLWithPath: path))
                try Data(LaterFormat.raised(Array(own))).write(to: URL(fileURLWithPath: path))
                let before = try cluster.files(of: node).filter { $0.key != "LOCK" }
                let answer = try await Program.run(["serve", "--config", node.config])
                #expect(answer.status == 78, "\(answer.summary)")
                #expect(
                    answer.errors.contains("000000.wal has format version 2, which this release does not know")
                        && answer.errors.contains("run the release that wrote it"), "\(answer.summary)")
                #expect(try cluster.files(of: node).filter { $0.key != "LOCK" } == before)
                try own.write(to: URL(fileURLWithPath: path))
                try await cluster.start(node)
                try await cluster.untilLevel()
            }
        }

        private struct Refusal: Decodable {
            struct LaterFormat: Decodable {
                var file: String
                var version, known: UInt16
            }
            var later_format: LaterFormat
            var damaged, applied: Bool?
        }

        @Test func `Tools name files of a later format with the node's exit code, and leave them as they are`()
            async throws
        {
            try await TestCluster.with(nodes: 1) { cluster in
                let node = cluster.nodes[0]
                try await cluster.append(["one"])
                try await cluster.control("down")
                let directory = node.dataDirectory
                let path = "\(directory)/000000.wal"
                let own = try Data(contentsOf: URL(fileURLWithPath: path))
                let later = Data(LaterFormat.raised(Array(own)))
                try later.write(to: URL(fileURLWithPath: path))
                let copy = "\(cluster.scratch.path)/copy"
                try later.write(to: URL(fileURLWithPath: copy))
                let before = try cluster.files(of: node).filter { $0.key != "LOCK" }
                for arguments in [
                    ["verify", directory], ["verify", path], ["verify", copy], ["repair", directory, "--plan"],
                    ["repair", directory, "--apply", "--accept-loss"], ["recover-quorum", directory, "--plan"],
                    ["recover-quorum", directory, "--apply"], ["inspect", "segment", directory, "0"],
                    ["inspect", "frame", directory, "0:64"],
                    ["backup", "create", "\(cluster.scratch.path)/kept", "--data-dir", directory],
                ] {
                    let answer = try await Program.run(arguments)
                    #expect(answer.status == 78, "\(arguments): \(answer.summary)")
                    #expect(
                        answer.errors.contains("has format version 2, which this release does not know (it knows 1)")
                            && answer.errors.contains("it is not damaged, and nothing was changed")
                            && answer.errors.contains("next: use the release that wrote it"),
                        "\(arguments): \(answer.summary)")
                    guard ["verify", "repair", "recover-quorum"].contains(arguments[0]), arguments[1] != copy else {
                        continue
                    }
                    let document = try await Program.run(arguments + ["-o", "json"])
                    #expect(document.status == 78, "\(arguments): \(document.summary)")
                    let refusal = try document.json(Refusal.self)
                    #expect(refusal.later_format.file == "000000.wal", "\(arguments)")
                    #expect(refusal.later_format.version == 2 && refusal.later_format.known == 1, "\(arguments)")
                    #expect(refusal.damaged ?? refusal.applied == false, "\(arguments): \(document.summary)")
                }
                #expect(try cluster.files(of: node).filter { $0.key != "LOCK" } == before)
            }
        }

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
                try await cluster.start(odd, environment: [Self.variable: "2"])

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
