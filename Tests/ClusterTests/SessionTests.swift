import Foundation
import Glibc
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    @Suite struct SessionTests {
        @Test func `A session whose leader is killed has lost nothing that it acknowledged, and left no gap`()
            async throws
        {
            try await TestCluster.with { cluster in
                let leader = try await cluster.leader().node
                let client = HoldfastClient(servers: cluster.nodes.map(\.client))
                let session = try await client.openSession(inFlightMax: 64)
                var pending: [PendingReceipt] = []
                for number in 1...400 { pending.append(await session.send([Record("batch \(number)")])) }
                #expect(try await pending[199].receipt.first == LogIndex(200))
                try cluster.signal(SIGKILL, leader)
                for number in 401...600 { pending.append(await session.send([Record("batch \(number)")])) }
                await #expect(throws: ClientError.self) { try await session.finish() }

                var acknowledgedCount = 0
                for pending in pending {
                    guard let receipt = try? await pending.receipt else { break }
                    acknowledgedCount += 1
                    #expect(receipt.first == LogIndex(UInt64(acknowledgedCount)))
                }
                await client.shutdown()
                #expect(acknowledgedCount >= 200 && acknowledgedCount < 600)
                _ = try await cluster.leader(among: cluster.others(than: leader))
                let log = try await cluster.ask("read").lines
                #expect(log.count >= acknowledgedCount)
                #expect(log == (0..<log.count).map { "batch \($0 + 1)" })
            }
        }
    }
}
