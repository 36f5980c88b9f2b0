import HoldfastClient
import Testing

@testable import HoldfastAdmin

@Suite struct HealthTests {
    @Test func `a node whose loops and disk answer is alive, each part by name`() async throws {
        try await Listener.with { listener in
            let plain = try await listener.get("/livez")
            #expect(plain.status == 200)
            #expect(plain.body == "ok\n")
            let verbose = try await listener.get("/livez?verbose")
            for part in NodePart.allCases { #expect(verbose.body.contains("[+]\(part.rawValue) ok: answered in ")) }
        }
    }

    @Test func `a part that hangs is named, within the bound`() async throws {
        let node = FakeNode()
        node.change { $0.hanging = [.disk] }
        defer { node.change { $0.hanging = [] } }
        let report = await Liveness(node: node, limitMilliseconds: 1_000).report()
        #expect(!report.isOK)
        #expect(report.checks.filter { !$0.isOK }.map(\.line) == ["[-]disk failed: no answer within 1000 ms"])
    }

    @Test func `a part that hangs is asked once, however often somebody asks for it, and nobody is left waiting`() async
    {
        let node = FakeNode()
        node.change { $0.hanging = [.disk] }
        defer { node.change { $0.hanging = [] } }
        let liveness = Liveness(node: node, limitMilliseconds: 20)
        for _ in 0..<5 {
            let report = await liveness.report()
            #expect(!report.isOK)
        }
        #expect(node.reachCount(.disk) == 1)
        while liveness.inquiry.waitingCount(for: .disk) > 0 { await Task.yield() }
        node.change { $0.hanging = [] }
        // The open question is answered, and the next one is asked anew.
        while node.reachCount(.disk) == 1 { _ = await liveness.report() }
        while await !liveness.report().isOK {}
    }

    @Test func `readiness names every check, and each has an address`() async throws {
        try await Listener.with { listener in
            let report = try await listener.get("/readyz?verbose")
            #expect(report.status == 200)
            #expect(report.body.contains("[+]leader ok: node 2 in term 3"))
            #expect(report.body.hasSuffix("readyz ok\n"))
            for name in Readiness.names {
                let check = try await listener.get("/readyz/\(name)")
                #expect(check.status == 200, "\(name)")
                #expect(check.body.hasPrefix("[+]\(name) ok: "))
            }
            let unknown = try await listener.get("/readyz/luck")
            #expect(unknown.status == 404)
            #expect(unknown.body.contains("recovered, leader, commit, lag, serving, disk, vote"))
        }
    }

    @Test func `whoever accepts JSON gets JSON`() async throws {
        try await Listener.with { listener in
            listener.node.change { $0.status.isDraining = true }
            let answer = try await listener.get("/readyz", "Accept: application/json")
            #expect(answer.status == 503)
            let report = try #require(answer.json(HealthReport.self))
            #expect(report.checks.first { $0.name == "serving" } == .failed("serving", "the node is stopping"))
            #expect(report.checks.filter { !$0.isOK }.count == 1)
        }
    }

    @Test(arguments: [
        ("recovered", "[-]recovered failed: blank"), ("leader", "[-]leader failed: none is known in term 3"),
        ("disk", "[-]disk failed: no room for more of the log"), ("vote", "[-]vote failed: does not vote"),
    ])
    func `what keeps a node from serving fails its check`(name: String, says: String) async throws {
        try await Listener.with { listener in
            listener.node.change { state in
                state.status.cluster.role = "forming"
                state.status.cluster.leader = nil
                state.status.disk.isFull = true
                state.status.cluster.health?.mayVote = false
            }
            let answer = try await listener.get("/readyz/\(name)")
            #expect(answer.status == 503)
            #expect(answer.body.hasPrefix(says), "\(answer.body)")
        }
    }

    @Test func `a commit that no quorum confirms is not ready, however well the node remembers`() async throws {
        try await Listener.with { listener in
            listener.node.change { $0.confirmed = nil }
            let answer = try await listener.get("/readyz")
            #expect(answer.status == 503)
            #expect(answer.body.contains("[-]commit failed: no quorum has answered within 1000 ms"))
            #expect(answer.body.contains("[-]lag failed: unknown without a proven commit"))
        }
    }

    @Test func `a node that lacks what a quorum confirmed says by how much`() async throws {
        try await Listener.with { listener in
            listener.node.change {
                $0.confirmed = .success(108)
                $0.isLevel = false
            }
            let answer = try await listener.get("/readyz/lag")
            #expect(answer.status == 503)
            #expect(answer.body.hasPrefix("[-]lag failed: 100 records behind"))
            listener.node.change {
                var leader = ClusterStatus.Node(node: 2, client: "127.0.0.1:7410", peer: "127.0.0.1:7411")
                leader.laterFormat = 2
                $0.status.cluster.nodes = [leader]
            }
            let caused = try await listener.get("/readyz?verbose")
            #expect(caused.body.contains("node 2 ships segments of format version 2, which this release cannot read"))
            #expect(caused.body.contains("run that node's release here"))
        }
    }

    @Test func `whoever asks at the same time shares one round`() async throws {
        let node = FakeNode()
        let proof = CommitProof(node: node)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = await proof.outcome() } }
        }
        #expect(node.proofCount == 1)
    }
}
