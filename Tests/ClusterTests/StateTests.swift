import Foundation
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    /// What the log itself keeps, over the deaths of leaders: keys, tokens, cursors.
    @Suite struct StateTests {
        /// Appends under the keys 0 ..< 40, all at once, each as often as it takes.
        private static func appendAll(_ cluster: TestCluster) async throws -> [Int: AppendReceipt] {
            let client = HoldfastClient(servers: cluster.servers, timeoutMilliseconds: 30_000)
            let receipts = try await withThrowingTaskGroup(of: (Int, AppendReceipt).self) { group in
                for number in 0..<40 {
                    group.addTask {
                        (number, try await client.append([Record("value \(number)")], key: "key \(number)"))
                    }
                }
                return try await group.reduce(into: [:]) { all, receipt in all[receipt.0] = receipt.1 }
            }
            await client.shutdown()
            return receipts
        }

        @Test func `A key that is sent again while leaders die stands once, at one index`() async throws {
            try await TestCluster.with { cluster in
                let (first, firstTerm) = try await cluster.leader()
                async let appended = Self.appendAll(cluster)
                try await cluster.kill([first])
                let receipts = try await appended
                _ = try await cluster.leader(after: firstTerm)
                try await cluster.start(first)
                try await cluster.untilCaughtUp(first)
                let (second, secondTerm) = try await cluster.leader()
                for isOverAnotherDeath in [false, true] {
                    if isOverAnotherDeath {
                        try await cluster.kill([second])
                        _ = try await cluster.leader(after: secondTerm)
                    }
                    for (number, again) in try await Self.appendAll(cluster) {
                        let receipt = try #require(receipts[number])
                        #expect(again.first == receipt.first && again.position == receipt.position, "key \(number)")
                        #expect(again.isDuplicate, "key \(number)")
                    }
                }
                try await cluster.start(second)
                try await cluster.untilCaughtUp(second)
                let values = try await cluster.log(of: second).map(\.text)
                #expect(values.sorted() == (0..<40).map { "value \($0)" }.sorted())
            }
        }

        @Test
        func `An append whose record was trimmed away is still known when it is tried again, also by the next leader`()
            async throws
        {
            try await TestCluster.with { cluster in
                let client = HoldfastClient(servers: cluster.servers, timeoutMilliseconds: 20_000)
                let receipt = try await client.append([Record("one")], key: "order 1")
                try await cluster.append((1...3_000).map { "\($0) " + String(repeating: "z", count: 1_000) })
                let trimmed = try await cluster.ask("trim", "--before", "2000")
                #expect(trimmed.status == 0, "\(trimmed.summary)")
                let last = try #require(await cluster.status(try await cluster.leader().node)).lastIndex
                for isOverAnotherDeath in [false, true] {
                    let (leader, term) = try await cluster.leader()
                    let first = try #require(await cluster.status(leader)?.firstIndex)
                    #expect(first > receipt.last.rawValue)
                    let again = try await client.append([Record("one")], key: "order 1")
                    #expect(again.isDuplicate && again.first == receipt.first && again.position == receipt.position)
                    guard !isOverAnotherDeath else { break }
                    try await cluster.kill([leader])
                    _ = try await cluster.leader(after: term)
                    try await cluster.start(leader)
                }
                #expect(await cluster.status(try await cluster.leader().node)?.lastIndex == last)
                await client.shutdown()
            }
        }

        @Test func `Conditions and tokens refuse what comes too late, with exit code 1 and nothing applied`()
            async throws
        {
            struct Receipt: Decodable { var first, last, retried_batches_already_applied: Int }
            try await TestCluster.with { cluster in
                let first = try await cluster.ask("append", "--expect", "1", "--batch", "2", input: "a\nb\nc\n")
                #expect(first.status == 0, "\(first.summary)")
                let late = try await cluster.ask("append", "--expect", "2", input: "late\n")
                #expect(late.status == 1 && late.errors.contains("applied: no"), "\(late.summary)")
                #expect(late.errors.contains("CONDITION_FAILED: the next index is 4"), "\(late.summary)")
                for duplicates in [0, 1] {
                    let answer = try await cluster.ask(
                        "append", "--key", "order", "--expect", "4", "-o", "json", input: "d\ne\n")
                    #expect(answer.status == 0, "\(answer.summary)")
                    let receipt = try answer.json(Receipt.self)
                    #expect(receipt.first == 4 && receipt.last == 5)
                    #expect(receipt.retried_batches_already_applied == duplicates)
                }
                let new = try await cluster.ask("append", "--fencing-token", "7", input: "f\n")
                #expect(new.status == 0, "\(new.summary)")
                let (leader, term) = try await cluster.leader()
                try await cluster.kill([leader])
                _ = try await cluster.leader(after: term)
                let old = try await cluster.ask("append", "--fencing-token", "6", input: "old\n")
                #expect(old.status == 1 && old.errors.contains("FENCED"), "\(old.summary)")
                #expect(try await cluster.ask("read").lines == ["a", "b", "c", "d", "e", "f"])
            }
        }

        @Test func `Cursors outlive leaders`() async throws {
            struct Cursors: Decodable { var cursors: [CursorDocument] }
            try await TestCluster.with { cluster in
                #expect(try await cluster.ask("cursor", "list").output == "no cursors\n")
                let set = try await cluster.ask("cursor", "set", "billing", "42", "--hold")
                #expect(set.status == 0 && set.output == "billing is at 42, and holds\n", "\(set.summary)")
                #expect(try await cluster.ask("cursor", "set", "mail", "7").status == 0)
                let (leader, term) = try await cluster.leader()
                try await cluster.kill([leader])
                _ = try await cluster.leader(after: term)
                #expect(try await cluster.ask("cursor", "get", "billing").output == "42\n")
                let list = try await cluster.ask("cursor", "list", "-o", "json").json(Cursors.self).cursors
                #expect(list.map(\.name) == ["billing", "mail"] && list.map(\.hold) == [true, false])
                #expect(try await cluster.ask("cursor", "delete", "mail").output == "deleted mail\n")
                for command in ["get", "delete"] {
                    let missing = try await cluster.ask("cursor", command, "mail")
                    #expect(missing.status == 1 && missing.errors.contains("no cursor mail"), "\(missing.summary)")
                }
                #expect(try await cluster.ask("cursor", "set", "a/b", "1").status == 64)
            }
        }
    }
}
