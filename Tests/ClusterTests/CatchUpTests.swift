import Foundation
import Testing

extension ClusterTests {
    @Suite struct CatchUpTests {
        @Test func `A follower that was away over several rotations ends with the same files`() async throws {
            try await TestCluster.with { cluster in
                try await cluster.append(["before"])
                let leader = try await cluster.leader().node
                let follower = cluster.others(than: leader)[0]
                try await cluster.kill([follower])
                let lines = Self.lines(count: 5_000, byteCount: 1_000)
                try await cluster.append(lines)
                #expect(try cluster.segments(of: leader).count >= 5)
                #expect(try cluster.segments(of: follower).count == 1)
                // The live tail moves while it catches up.
                let history = try await Load.run(producers: 2, on: cluster) { history in
                    try await history.untilAcknowledged(20)
                    try await cluster.start(follower)
                    try await cluster.untilCaughtUp(follower)
                    try await history.untilAcknowledged(20)
                }
                let log = try await cluster.expectSoundness(history, others: Set(lines + ["before"]))
                let ours = log.map(\.text).filter { $0.utf8.count == 1_000 }
                let isInOrder = ours == lines
                #expect(isInOrder)
                #expect(try cluster.segments(of: follower).count >= 5)
            }
        }

        @Test func `A follower that is killed while it catches up goes on where it was`() async throws {
            try await TestCluster.with { cluster in
                try await cluster.append(["before"])
                let leader = try await cluster.leader().node
                let follower = cluster.others(than: leader)[1]
                try await cluster.kill([follower])
                let lines = Self.lines(count: 4_500, byteCount: 1_000)
                try await cluster.append(lines)
                for _ in 1...3 {
                    try await cluster.start(follower)
                    try await cluster.kill([follower])
                }
                try await cluster.start(follower)
                try await cluster.expectSoundness(History(), others: Set(lines + ["before"]))
            }
        }

        /// Distinct lines that do not compress well, the same in every run.
        private static func lines(count: Int, byteCount: Int) -> [String] {
            var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
            return (1...count).map { number in
                var line = "\(number) "
                while line.utf8.count < byteCount {
                    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    line += String(seed, radix: 36)
                }
                return String(line.prefix(byteCount))
            }
        }
    }
}
