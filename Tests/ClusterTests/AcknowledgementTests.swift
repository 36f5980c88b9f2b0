import Foundation
import Glibc
import Testing

extension ClusterTests {
    /// What an acknowledgement says, and reading what one has appended oneself.
    @Suite struct AcknowledgementTests {
        private struct Receipt: Decodable {
            var last: UInt64
            var durability: String
            var nodes, voters: Int
        }

        @Test func `All voters are waited for when asked, and one that is paused holds up the answer alone`()
            async throws
        {
            try await TestCluster.with { cluster in
                let leader = try await cluster.leader().node
                let asleep = cluster.others(than: leader)[0]
                let whole = try await cluster.ask("append", "--ack", "all", "-o", "json", input: "one\n")
                let receipt = try whole.json(Receipt.self)
                #expect(receipt.nodes == 3 && receipt.voters == 3 && receipt.durability == "persisted")

                try cluster.signal(SIGSTOP, asleep)
                let missing = try await cluster.ask("append", "--ack", "all", "--timeout", "2s", input: "two\n")
                #expect(missing.status == 3, "\(missing.summary)")
                #expect(missing.errors.contains("2 of 3 voters"), "\(missing.summary)")
                #expect(missing.errors.contains("applied: yes"), "\(missing.summary)")
                let quorum = try await cluster.ask("append", "-o", "json", input: "three\n")
                #expect(try quorum.json(Receipt.self).nodes == 2)

                try cluster.signal(SIGCONT, asleep)
                let last = try await cluster.ask("append", "--ack", "all", "-o", "json", input: "four\n")
                #expect(try last.json(Receipt.self).nodes == 3, "\(last.summary)")
                #expect(try await cluster.ask("read").lines == ["one", "two", "three", "four"])
            }
        }

        @Test func `Any node reads what was just appended when it is told how far to be, and says so when it is not`()
            async throws
        {
            try await TestCluster.with { cluster in
                for number in 1...10 {
                    let appended = try await cluster.ask("append", "-o", "json", input: "line \(number)\n")
                    let last = try appended.json(Receipt.self).last
                    for node in cluster.nodes {
                        let read = try await cluster.ask(
                            "read", "--from=-1", "--consistency", "committed", "--min-index", "\(last)",
                            servers: [node.client])
                        #expect(read.lines == ["line \(number)"], "\(node.name): \(read.summary)")
                    }
                }
                let ahead = try await cluster.ask(
                    "read", "--consistency", "committed", "--min-index", "99", "--timeout", "1s",
                    servers: [cluster.nodes[0].client])
                #expect(ahead.status == 1, "\(ahead.summary)")
                #expect(ahead.errors.contains("BEHIND") && ahead.errors.contains("up to 10"), "\(ahead.summary)")
            }
        }
    }
}
