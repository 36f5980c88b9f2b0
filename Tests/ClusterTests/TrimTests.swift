import Foundation
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    @Suite struct TrimTests {
        @Test
        func
            `a follower that was away over a trim begins with the leader's first segment, also when it is killed meanwhile`()
            async throws
        {
            try await TestCluster.with { cluster in
                try await cluster.append(["before"])
                let leader = try await cluster.leader().node
                let follower = cluster.others(than: leader)[0]
                try await cluster.kill([follower])
                let lines = (1...6_000).map { "\($0) " + String(repeating: "x", count: 1_000) }
                try await cluster.append(lines)
                let answer = try await cluster.ask("trim", "--before", "5000", "-o", "json")
                try #require(answer.status == 0, "\(answer.summary)")
                let first = try answer.json(Trimmed.self).firstIndex
                #expect(first > 2_000 && first <= 5_000)
                for _ in 1...3 {
                    try await cluster.start(follower)
                    try await cluster.kill([follower])
                }
                try await cluster.start(follower)
                try await cluster.append(["after"])
                try await cluster.untilLevel()
                try await Self.expectTrimmedEqually(cluster, first: first, lines: lines)
            }
        }

        @Test func `trims go on while nodes are killed, and every node keeps the same rest`() async throws {
            try await TestCluster.with { cluster in
                let lines = (1...3_000).map { "\($0) " + String(repeating: "y", count: 1_000) }
                var first: UInt64 = 1
                for round in 0..<3 {
                    let leader = try await cluster.leader().node
                    let victim = round == 1 ? leader : cluster.others(than: leader)[round % 2]
                    try await cluster.append(Array(lines[round * 1_000..<(round + 1) * 1_000]))
                    try await cluster.kill([victim])
                    let answer = try await cluster.ask("trim", "--before", "\(round * 1_000 + 500)", "-o", "json")
                    try #require(answer.status == 0, "\(answer.summary)")
                    let next = try answer.json(Trimmed.self).firstIndex
                    #expect(next >= first)
                    first = next
                    try await cluster.start(victim)
                }
                try await cluster.untilLevel()
                #expect(first > 500)
                try await Self.expectTrimmedEqually(cluster, first: first, lines: lines)
            }
        }

        @Test func `a trim is refused in words where it cannot be understood or done`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                #expect(try await cluster.ask("trim", "--before", "0").status == 64)
                let early = try await cluster.ask("trim", "--before", "1")
                #expect(
                    early.status == 0 && early.output.contains("the log begins at record 1, with segment 000000.wal"))
                let idle = try await cluster.ask("trim", "--before", "5")
                #expect(idle.status == 0 && idle.errors.contains("records before 5 stay"), "\(idle.summary)")
                #expect(idle.errors.contains("the log is empty so far"), "\(idle.summary)")
                try await cluster.append(["one", "two"])
                let beyond = try await cluster.ask("trim", "--before", "100000")
                #expect(beyond.status == 0 && beyond.errors.contains("the log ends with record 2"), "\(beyond.summary)")
                #expect(!(try await cluster.ask("trim", "--before", "3")).errors.contains("ends with"))
                try await cluster.kill(cluster.nodes)
                let late = try await cluster.ask("trim", "--before", "1", "--timeout", "1s")
                #expect(late.status == 69, "\(late.summary)")
            }
        }

        private struct Trimmed: Decodable {
            var firstIndex: UInt64
            enum CodingKeys: String, CodingKey { case firstIndex = "first_index" }
        }

        /// All nodes hold the same records from `first` on, and the same sealed segments. Ends the cluster.
        private static func expectTrimmedEqually(
            _ cluster: TestCluster, first: UInt64, lines: [String]
        ) async throws {
            for node in cluster.nodes {
                let status = try #require(await cluster.status(node))
                #expect(status.firstIndex == first, "\(node.name)")
                let log = try await cluster.wholeLog(of: node, from: LogIndex(first))
                #expect(log.first?.index.rawValue == first)
                let kept = log.map(\.text).filter { $0.utf8.count > 1_000 }
                let isSuffix = kept[...] == lines.suffix(kept.count) && kept.count > 500
                #expect(isSuffix, "\(node.name) holds \(log.count) records")
            }
            try await cluster.control("down")
            for node in cluster.nodes { try await cluster.expectSound(node) }
            try cluster.expectEqualSealedSegments()
        }
    }
}
