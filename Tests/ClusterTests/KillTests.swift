import Foundation
import Testing

extension ClusterTests {
    @Suite struct KillTests {
        @Test func `A leader that is killed again and again under load loses and doubles nothing`() async throws {
            try await TestCluster.with { cluster in
                // One more producer: the command line, with a file of its own.
                let lines = (1...1_500).map { "line \($0)" }
                async let appended = cluster.ask(
                    "append", "--batch", "5", "--timeout", "30s", "-o", "json",
                    input: lines.map { "\($0)\n" }.joined())
                let history = try await Load.run(on: cluster) { history in
                    for round in 1...Failovers.count {
                        try await history.untilAcknowledged(40)
                        let (leader, term) = try await cluster.leader()
                        try await cluster.kill([leader])
                        // Back at once, or only after the others have gone on without it.
                        if round % 2 == 0 { try await history.untilAcknowledged(40) }
                        try await cluster.start(leader)
                        _ = try await cluster.leader(after: term)
                        try await history.untilAcknowledged(40)
                        try await cluster.untilCaughtUp(leader)
                    }
                }
                let answer = try await appended
                #expect(answer.status == 0, "\(answer.summary)")
                let log = try await cluster.expectSoundness(history, others: Set(lines))
                let ours = log.map(\.text).filter { $0.hasPrefix("line ") }
                #expect(ours == lines, "the lines of a file are in the log once and in order")
            }
        }

        @Test func `A follower that is killed under load holds nobody up and comes level again`() async throws {
            try await TestCluster.with { cluster in
                let history = try await Load.run(on: cluster) { history in
                    for offset in 0..<3 {
                        try await history.untilAcknowledged(30)
                        let followers = cluster.others(than: try await cluster.leader().node)
                        let follower = followers[offset % followers.count]
                        let killed = try await cluster.control("kill", follower.name)
                        #expect(killed.output == "killed \(follower.name)\n")
                        try await history.untilAcknowledged(100)
                        try await cluster.start(follower)
                        try await cluster.untilCaughtUp(follower)
                    }
                }
                try await cluster.expectSoundness(history)
            }
        }

        @Test func `All nodes killed at once under load keep everything that was acknowledged`() async throws {
            try await TestCluster.with { cluster in
                let history = try await Load.run(on: cluster) { history in
                    for _ in 1...3 {
                        try await history.untilAcknowledged(60)
                        try await cluster.kill(cluster.nodes)
                        let before = history.lastIndex
                        try await cluster.control("up")
                        let (leader, _) = try await cluster.leader()
                        // Not only in the end: the first leader after it has all of it already.
                        let status = try #require(await cluster.status(leader))
                        #expect(status.lastIndex >= before, "acknowledged \(before)")
                        try await history.untilAcknowledged(60)
                    }
                }
                try await cluster.expectSoundness(history)
            }
        }
    }
}
