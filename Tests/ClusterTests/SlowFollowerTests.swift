import Foundation
import Glibc
import HoldfastClient
import LogModel
import Testing

extension ClusterTests {
    /// A follower that takes nothing for long costs the leader neither memory nor time.
    @Suite struct SlowFollowerTests {
        private static let recordByteCount = 64 << 10
        private static let growthByteCountMax = 64 << 20

        @Test func `A follower that hangs under large records costs the leader no memory, and comes level`()
            async throws
        {
            try await TestCluster.with(segmentSize: "16MiB") { cluster in
                let (leader, term) = try await cluster.leader()
                let follower = cluster.others(than: leader)[0]
                // Buffers and pools have the size that work needs before memory is compared.
                let before = try await Self.append(mebibytes: 48, to: leader)
                try await cluster.untilCaughtUp(follower)
                let process = try #require(cluster.process(leader))
                let held = try #require(Processes.anonymousByteCount(process))

                try cluster.signal(SIGSTOP, follower)
                var most = held
                var meanwhile: [UInt32] = []
                // Six times what may be under way to one follower.
                for _ in 1...4 {
                    meanwhile += try await Self.append(mebibytes: 24, to: leader)
                    most = max(most, try #require(Processes.anonymousByteCount(process)))
                }
                #expect(most - held < Self.growthByteCountMax, "from \(held) to \(most) bytes")
                // One follower less to wait for; what is above that is for a busy machine.
                let (median, limit) = (Self.median(meanwhile), 2 * Self.median(before) + 20_000)
                #expect(median < limit, "\(median) us, before \(Self.median(before)) us")

                try cluster.signal(SIGCONT, follower)
                try await cluster.untilCaughtUp(follower)
                most = max(most, try #require(Processes.anonymousByteCount(process)))
                #expect(most - held < Self.growthByteCountMax, "from \(held) to \(most) bytes while catching up")
                let now = try await cluster.leader()
                #expect(now == (leader, term))
                try await Self.expectEqualNodes(cluster)
            }
        }

        /// Appends so much, a few requests at a time.
        ///
        /// - Returns: Microseconds until each acknowledgement.
        private static func append(mebibytes: Int, to leader: TestCluster.Node) async throws -> [UInt32] {
            let load = AppendLoad(
                server: leader.client, clients: 2, inFlight: 4, size: self.recordByteCount, warmUpMilliseconds: 0,
                durationMilliseconds: 200)
            var latencies: [UInt32] = []
            let deadline = ContinuousClock.now + .seconds(60)
            while latencies.count * self.recordByteCount < mebibytes << 20 {
                let result = await load.run()
                try #require(result.failureCount == 0, "\(result.failure ?? "")")
                guard ContinuousClock.now < deadline else {
                    throw Late(what: "\(mebibytes) MiB to be appended", state: "\(latencies.count) records are")
                }
                latencies += result.latenciesMicroseconds
            }
            return latencies
        }

        private static func median(_ values: [UInt32]) -> UInt32 { values.sorted()[values.count / 2] }

        /// The load counts and does not name what it appends: what is checked is that nobody lacks any of it.
        private static func expectEqualNodes(_ cluster: TestCluster) async throws {
            try await cluster.untilLevel()
            try await cluster.control("down")
            for node in cluster.nodes { try await cluster.expectSound(node) }
            try cluster.expectEqualSealedSegments()
        }
    }
}
