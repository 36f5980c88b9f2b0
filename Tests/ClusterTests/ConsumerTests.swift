import Foundation
import HoldfastClient
import Synchronization
import Testing

extension ClusterTests {
    @Suite struct ConsumerTests {
        @Test func `A consumer that ends and begins again while leaders die handles every record once, in order`()
            async throws
        {
            try await TestCluster.with { cluster in
                let name = try #require(CursorName("jobs"))
                let handled = Mutex<[String]>([])
                let client = HoldfastClient(servers: cluster.servers, timeoutMilliseconds: 30_000)
                var options = ConsumerOptions()
                options.recordsMax = 7
                for round in 1...3 {
                    let consumer = client.makeConsumer(of: name, options) { record in
                        handled.withLock { $0.append(record.text) }
                    }
                    let running = Task { try await consumer.run() }
                    let (leader, term) = try await cluster.leader()
                    try await cluster.append((1...20).map { "\(round)-\($0)" })
                    try await cluster.kill([leader])
                    _ = try await cluster.leader(after: term)
                    try await cluster.append((21...40).map { "\(round)-\($0)" })
                    try await eventually("round \(round) to be handled") {
                        handled.withLock { $0.count } == round * 40
                    }
                    running.cancel()
                    try await running.value
                    let cursor = try await client.cursor(name)
                    #expect(cursor?.index == LogIndex(UInt64(round * 40 + 1)))
                    try await cluster.start(leader)
                    try await cluster.untilCaughtUp(leader)
                }
                let all = handled.withLock { $0 }
                #expect(all == (1...3).flatMap { round in (1...40).map { "\(round)-\($0)" } })
                await client.shutdown()
            }
        }
    }
}
