import Glibc
import Testing

extension ClusterTests {
    /// The commands of the page on operations say what it says, as far as one machine has what they are about.
    @Suite struct OperationsTests {
        @Test func `what a disk gives is measured as the page says`() async throws {
            try await TestCluster.with(nodes: 1) { cluster in
                // As briefly as it can be.
                try await OperationsPage.expect("## How large", exits: [0], in: cluster) {
                    $0.replacing("200ms", with: "10ms").replacing("8MiB", with: "1MiB")
                }
            }
        }

        @Test func `the fsync policy is shown as the page says`() async throws {
            try await TestCluster.with { cluster in
                try await cluster.append(["one"])
                try await OperationsPage.expect("## What each fsync policy loses", exits: [0, 0], in: cluster)
            }
        }

        @Test func `nodes are waited for, and a leader is relieved, as the page says`() async throws {
            try await TestCluster.with { cluster in
                try await cluster.append(["one"])
                try await cluster.untilLevel()
                let (leader, term) = try await cluster.leader()
                try await OperationsPage.expect("## A new release", exits: [0, 0], in: cluster)
                #expect(try await cluster.leader(after: term).node != leader)
            }
        }

        @Test func `a follower that lags is explained as the page says`() async throws {
            try await TestCluster.with { cluster in
                let follower = try #require(cluster.others(than: try await cluster.leader().node).last)
                try cluster.signal(SIGSTOP, follower)
                // More than what may be on its way.
                try await cluster.append((1...600).map { "\($0) " + String(repeating: "x", count: 1_000) })
                try await OperationsPage.expect("## A follower lags", exits: [3], in: cluster) {
                    $0.replacing("n2", with: follower.name)
                }
                try cluster.signal(SIGCONT, follower)
            }
        }

        @Test func `a majority that does not answer is explained, and the times are shown, as the page says`()
            async throws
        {
            try await TestCluster.with { cluster in
                // The node whose times the page shows leads, and has shipped something to both.
                try await OperationsPage.untilLeading(cluster.nodes[0], in: cluster)
                try await cluster.append((1...50).map { "line \($0)" })
                try await cluster.untilLevel()
                let commands = try Document(OperationsPage.path).commands(
                    under: "## The majority does not answer in time")
                try #require(commands.count == 2)
                let times = try await cluster.shell(commands[1].line)
                let names = OperationsPage.words(times.output)
                #expect(times.status == 0 && names == OperationsPage.words(commands[1].output), "\(times.summary)")

                for node in cluster.nodes.dropFirst() { try cluster.signal(SIGSTOP, node) }
                try await eventually("n1 to look for votes", state: { await cluster.described() }) {
                    await cluster.status(cluster.nodes[0])?.role == "preCandidate"
                }
                let explained = try await cluster.shell(commands[0].line)
                #expect(explained.status == 3, "\(explained.summary)")
                #expect(
                    OperationsPage.words(explained.output) == OperationsPage.words(commands[0].output),
                    "\(explained.summary)")
                for node in cluster.nodes.dropFirst() { try cluster.signal(SIGCONT, node) }
            }
        }
    }
}
