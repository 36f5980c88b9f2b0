import Foundation
import HoldfastClient
import Testing

extension ClusterTests {
    /// A data directory that is put back from an older copy has forgotten what its node promised.
    @Suite struct RestoredDirectoryTests {
        @Test func `A node whose directory was put back is refused, says why, and is healed by a replacement`()
            async throws
        {
            try await TestCluster.with { cluster in
                let follower = try #require(cluster.others(than: try await cluster.leader().node).first)
                let history = try await Load.run(on: cluster) { history in
                    try await history.untilAcknowledged(20)
                    try await cluster.stop(follower)
                    let copy = "\(cluster.scratch.path)/copy"
                    try FileManager.default.copyItem(atPath: follower.dataDirectory, toPath: copy)
                    try await cluster.start(follower)
                    try await history.untilAcknowledged(20)
                    try await cluster.untilCaughtUp(follower)

                    try await cluster.stop(follower)
                    try FileManager.default.removeItem(atPath: follower.dataDirectory)
                    try FileManager.default.moveItem(atPath: copy, toPath: follower.dataDirectory)
                    try await cluster.start(follower)
                    try await eventually("\(follower.name) to say that it is retired") {
                        await cluster.status(follower)?.retired?.contains("older copy of itself") == true
                    }
                    #expect(cluster.lastWords(of: follower).contains("holdfast member replace \(follower.number)"))
                    try await self.expectNoPart(of: follower, in: cluster)

                    // Nor does it take part when it is started again and again.
                    for _ in 0..<2 {
                        try await cluster.kill([follower])
                        try await cluster.start(follower)
                        try await self.expectNoPart(of: follower, in: cluster)
                    }

                    try await cluster.stop(follower)
                    try FileManager.default.removeItem(atPath: follower.dataDirectory)
                    try await cluster.start(follower)
                    let replaced = try await cluster.without(follower).ask("member", "replace", "\(follower.number)")
                    #expect(replaced.status == 0, "\(replaced.summary)")
                    try await history.untilAcknowledged(20)
                    try await cluster.untilCaughtUp(follower)
                }
                #expect(await cluster.status(follower)?.retired == nil)
                try await cluster.expectSoundness(history)
            }
        }

        /// It follows nobody and leads nobody, and the others do not need it.
        private func expectNoPart(of node: TestCluster.Node, in cluster: TestCluster) async throws {
            try await eventually("\(node.name) to be left out", state: { await cluster.described() }) {
                guard let status = await cluster.status(node) else { return false }
                return status.role == "follower" && status.leader == nil && status.retired != nil
            }
            let leader = try await cluster.leader().node
            #expect(leader != node)
        }
    }
}
