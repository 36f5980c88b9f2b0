import Foundation
import Glibc
import HoldfastClient
import LogModel
import Synchronization
import Testing

extension ClusterTests {
    @Suite struct TailTests {
        /// What a tail has handed over so far.
        private final class Seen: Sendable {
            private let values = Mutex<[String]>([])
            var count: Int { self.values.withLock { $0.count } }
            var all: [String] { self.values.withLock { $0 } }
            func add(_ records: [IndexedRecord]) { self.values.withLock { $0 += records.map(\.text) } }

            func until(_ count: Int) async throws {
                try await eventually("\(count) records to be seen", state: { "\(self.count) were" }) {
                    self.count >= count
                }
            }
        }

        /// Follows the log while `body` runs.
        private static func follow(
            _ cluster: TestCluster, _ body: (Seen) async throws -> Void
        ) async throws {
            let seen = Seen()
            let client = HoldfastClient(servers: [cluster.servers[0]])
            let reader = Task {
                for try await records in client.tail(from: .first).batches { seen.add(records) }
            }
            defer { reader.cancel() }
            try await body(seen)
            reader.cancel()
            try await reader.value
            await client.shutdown()
        }

        /// Appends `record 1`, `record 2`, ... by an appender, some of them at a time.
        ///
        /// - Returns: How many, when all are acknowledged, each at its index.
        private static func write(by client: HoldfastClient, until isStopped: borrowing Atomic<Bool>) async throws
            -> Int
        {
            var options = AppenderOptions()
            options.recordsMax = 8
            options.waitingRecordsMax = 32
            let appender = client.makeAppender(options)
            var pending: [PendingReceipt] = []
            while !isStopped.load(ordering: .relaxed) {
                pending.append(try await appender.send(Record("record \(pending.count + 1)")))
            }
            await appender.shutdown()
            for (offset, pending) in pending.enumerated() {
                let receipt = try await pending.receipt
                #expect(receipt.first == LogIndex(UInt64(offset + 1)))
            }
            return pending.count
        }

        @Test func `A tail sees every record once and in order while leaders are killed again and again`() async throws
        {
            try await TestCluster.with { cluster in
                try await Self.follow(cluster) { seen in
                    let writer = HoldfastClient(servers: cluster.servers, timeoutMilliseconds: 30_000)
                    let isStopped = Atomic(false)
                    let written = Task { try await Self.write(by: writer, until: isStopped) }
                    defer { isStopped.store(true, ordering: .relaxed) }
                    for round in 1...Failovers.count {
                        try await seen.until(seen.count + 20)
                        let (leader, term) = try await cluster.leader()
                        try await cluster.kill([leader])
                        // Back at once, or only after the others have gone on without it.
                        if round % 2 == 0 { try await seen.until(seen.count + 20) }
                        try await cluster.start(leader)
                        _ = try await cluster.leader(after: term)
                        try await cluster.untilCaughtUp(leader)
                    }
                    isStopped.store(true, ordering: .relaxed)
                    let count = try await written.value
                    try await seen.until(count)
                    let isExact = seen.all == (1...count).map { "record \($0)" }
                    #expect(
                        isExact, "\(count) were written, \(seen.count) seen, \(Set(seen.all).count) of them different")
                    await writer.shutdown()
                }
            }
        }

        @Test func `A tail leaves a node that is asleep, and begins where it is told while nobody leads`() async throws
        {
            try await TestCluster.with { cluster in
                try await cluster.append(["one", "two", "three"])
                try await cluster.untilLevel()
                try await Self.follow(cluster) { seen in
                    try await seen.until(3)
                    for node in cluster.nodes {
                        try cluster.signal(SIGSTOP, node)
                        _ = try await cluster.leader(among: cluster.others(than: node))
                        try await cluster.append(["without \(node.name)"])
                        try await seen.until(3 + Int(node.number))
                        try cluster.signal(SIGCONT, node)
                        try await cluster.untilCaughtUp(node)
                    }
                    #expect(seen.all == ["one", "two", "three"] + cluster.nodes.map { "without \($0.name)" })
                }
                try await cluster.untilLevel()
                try await cluster.kill(Array(cluster.nodes.dropFirst()))
                let client = HoldfastClient(servers: [cluster.nodes[0].client])
                for try await record in client.tail(from: .last(2)) {
                    #expect(record.text == "without n2")
                    break
                }
                await client.shutdown()
            }
        }
    }
}
