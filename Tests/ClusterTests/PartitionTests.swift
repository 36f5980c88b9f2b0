import Foundation
import HoldfastClient
import Testing

extension ClusterTests {
    /// Links that fail while processes live: the nodes that cannot reach each other are still reached by clients.
    @Suite struct PartitionTests {
        @Test(arguments: Network.Fault.allCases)
        func `A leader that reaches nobody is replaced, says so, and tells no old news`(fault: Network.Fault)
            async throws
        {
            try await Network.with { cluster, network in
                let (old, oldTerm) = try await cluster.leader()
                let others = cluster.others(than: old)
                let reader = HoldfastClient(servers: [old.client], timeoutMilliseconds: 300)
                var cut = Date()
                var newTerm: UInt64 = 0
                let history = try await Load.run(on: cluster) { history in
                    try await history.untilAcknowledged(30)
                    cut = Date()
                    for other in others { try await network.cut(between: old, and: other, fault) }
                    newTerm = try await cluster.leader(among: others, after: oldTerm).term
                    // While it may still believe to lead, and after.
                    _ = await Load.read(old, 10, by: reader, into: history)
                    try await history.untilAcknowledged(60)
                    try await eventually("\(old.name) to step down", state: { await cluster.described() }) {
                        await cluster.status(old).map { $0.role != "leader" && $0.leader == nil } ?? false
                    }
                    try await Self.expectRefusal(of: old, reader, history)
                    try await network.heal()
                    try await cluster.untilCaughtUp(old)
                    try await history.untilAcknowledged(30)
                    try await history.untilRead(20)
                }
                await reader.shutdown()
                try await cluster.expectSoundness(history)
                let seconds = try await cluster.timeOfElection(newTerm).timeIntervalSince(cut)
                // Two election timeouts, and something for a busy machine.
                #expect(seconds < 2 * TestCluster.electionTimeoutSeconds + 1.3, "led after \(seconds) s")
            }
        }

        /// A node that knows of no leader says so, of appends and of reads, and applies nothing.
        private static func expectRefusal(
            of node: TestCluster.Node, _ reader: HoldfastClient, _ history: History
        ) async throws {
            let load = AppendLoad(
                server: node.client, clients: 1, inFlight: 1, size: 10, warmUpMilliseconds: 0,
                durationMilliseconds: 200)
            let told = await load.run()
            #expect(told.latenciesMicroseconds.isEmpty && told.failureCount > 0)
            #expect(told.failure?.contains("\"applied\":\"no\"") == true, "\(told.failure ?? "")")
            #expect(await !Load.read(node, by: reader, into: history), "a linearizable read without a quorum")
            #expect(await Load.read(node, by: reader, .committed, into: history))
        }

        @Test(arguments: Network.Fault.allCases)
        func `A leader that lost one follower leads on, whatever that one thinks`(fault: Network.Fault) async throws {
            try await Network.with { cluster, network in
                let (leader, term) = try await cluster.leader()
                let deaf = cluster.others(than: leader)[0]
                let history = try await Load.run(on: cluster) { history in
                    try await history.untilAcknowledged(30)
                    let cut = ContinuousClock.now
                    try await network.cut(between: leader, and: deaf, fault)
                    try await eventually("\(deaf.name) to know no leader", state: { await cluster.described() }) {
                        await cluster.status(deaf).map { $0.leader == nil } ?? false
                    }
                    // It has time for many elections, if anybody let it have one.
                    try await Self.untilElectionsWerePossible(since: cut)
                    try await history.untilAcknowledged(30)
                    let now = try await cluster.leader()
                    #expect(now == (leader, term))
                    #expect(history.longestGap(since: cut) < .seconds(3))
                    try await network.heal()
                    try await cluster.untilCaughtUp(deaf)
                    try await Self.expectFewTerms(cluster, since: term)
                }
                try await cluster.expectSoundness(history)
            }
        }

        @Test(arguments: [Network.Fault.stall, .swallow], [true, false])
        func `A leader with one-way links to both followers is followed or replaced, within bounds`(
            fault: Network.Fault, isMute: Bool
        ) async throws {
            try await Network.with { cluster, network in
                let (old, term) = try await cluster.leader()
                let history = try await Load.run(on: cluster) { history in
                    try await history.untilAcknowledged(30)
                    let cut = ContinuousClock.now
                    for other in cluster.others(than: old) {
                        let (from, to) = isMute ? (old, other) : (other, old)
                        try await network.cut(from: from, to: to, fault)
                    }
                    _ = try await cluster.leader(among: cluster.others(than: old), after: term)
                    try await history.untilAcknowledged(60)
                    #expect(history.longestGap(since: cut) < .seconds(3))
                    try await Self.untilElectionsWerePossible(since: cut)
                    try await history.untilAcknowledged(30)
                    try await network.heal()
                    try await cluster.untilCaughtUp(old)
                    try await Self.expectFewTerms(cluster, since: term)
                }
                try await cluster.expectSoundness(history)
            }
        }

        @Test(arguments: [true, false])
        func `A follower with one one-way link disturbs nobody`(isMute: Bool) async throws {
            try await Network.with { cluster, network in
                let (leader, term) = try await cluster.leader()
                let follower = cluster.others(than: leader)[1]
                let history = try await Load.run(on: cluster) { history in
                    try await history.untilAcknowledged(30)
                    let cut = ContinuousClock.now
                    let (from, to) = isMute ? (follower, leader) : (leader, follower)
                    try await network.cut(from: from, to: to, .stall)
                    try await Self.untilElectionsWerePossible(since: cut)
                    try await history.untilAcknowledged(60)
                    let now = try await cluster.leader()
                    #expect(now == (leader, term))
                    #expect(history.longestGap(since: cut) < .seconds(3))
                    try await network.heal()
                    try await cluster.untilCaughtUp(follower)
                    try await Self.expectFewTerms(cluster, since: term)
                }
                try await cluster.expectSoundness(history)
            }
        }

        @Test func `Links that flap under load lose nothing, and tell nobody old news`() async throws {
            try await Network.with { cluster, network in
                let history = try await Load.run(readers: 2, on: cluster) { history in
                    for _ in 1...20 {
                        let nodes = cluster.nodes.shuffled()
                        let fault = Network.Fault.allCases.randomElement() ?? .stall
                        if Bool.random() {
                            try await network.cut(from: nodes[0], to: nodes[1], fault)
                        } else {
                            for other in nodes.dropFirst() {
                                try await network.cut(between: nodes[0], and: other, fault)
                            }
                        }
                        // Some heal before anybody noticed, some after an election.
                        let before = history.acknowledgedCount
                        try? await eventually("progress", within: .random(in: 0.05...0.8)) {
                            history.acknowledgedCount > before + 100
                        }
                        try await network.heal()
                        try await history.untilAcknowledged(5)
                    }
                    try await history.untilAcknowledged(50)
                    try await history.untilRead(50)
                }
                try await cluster.expectSoundness(history)
            }
        }

        @Test func `A port that takes connections and ends them is asked again with patience`() async throws {
            try await Network.with { cluster, network in
                let leader = try await cluster.leader().node
                let follower = cluster.others(than: leader)[0]
                try await network.cut(between: leader, and: follower, .hangUp)
                let (before, cut) = (try await network.connectionCount(), ContinuousClock.now)
                try await Self.untilElectionsWerePossible(since: cut)
                let count = try await network.connectionCount() - before
                #expect((1..<60).contains(count), "\(count) connections")
                try await network.heal()
                try await cluster.append(["after"])
                try await cluster.expectSoundness(History(), others: ["after"])
            }
        }

        /// So long that every node that wants an election has begun several: the one wait for time here, since what is
        /// expected is that nothing happens.
        private static func untilElectionsWerePossible(since start: ContinuousClock.Instant) async throws {
            let end = start + .seconds(4 * TestCluster.electionTimeoutSeconds)
            try await eventually("time to pass") { ContinuousClock.now >= end }
        }

        /// At most three terms, the one before the cut included.
        private static func expectFewTerms(_ cluster: TestCluster, since term: UInt64) async throws {
            let now = try await cluster.leader()
            #expect(now.term <= term + 2)
        }
    }
}
