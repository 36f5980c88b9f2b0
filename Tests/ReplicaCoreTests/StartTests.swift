import LogModel
import RaftCore
import ReplicaTestSupport
import Testing
import WireFormat

@testable import ReplicaCore

/// Which start of which directory a peer is, and what its word counts for.
struct StartTests {
    private static let member = Member(node: NodeID(2), incarnation: Incarnation(2))

    private static func start(_ starts: UInt64, _ lives: [UInt64], generation: UInt32 = 1) -> MemberStart {
        MemberStart(member: self.member, generation: generation, starts: starts, lives: lives.map { Life($0) })
    }

    @Test(
        arguments: [
            (18, [18, 17], true), (17, [17, 16], true), (25, [25, 24, 23, 22, 21, 20, 19, 18, 17], true),
            // A copy from start 16, or from earlier, started once and more often.
            (17, [99, 16], false), (18, [98, 99, 16], false), (16, [16], false), (12, [98, 11], false),
            // Nobody can tell any more.
            (40, [40, 39, 38], true),
        ] as [(UInt64, [UInt64], Bool)])
    func `a start follows what was seen when it knows of it`(starts: UInt64, lives: [UInt64], follows: Bool) {
        let seen = StartSighting(member: Self.member, starts: 17, life: Life(17))
        #expect(Self.start(starts, lives).follows(seen) == follows)
    }

    @Test func `the ledger remembers the latest start and refuses what does not follow it`() {
        var ledger = StartLedger([])
        #expect(ledger.met(Self.start(3, [3]), isNeeded: { _ in true }) == .new)
        #expect(ledger.met(Self.start(3, [3]), isNeeded: { _ in true }) == .known)
        #expect(ledger.met(Self.start(4, [4, 3]), isNeeded: { _ in true }) == .new)
        let seen = StartSighting(member: Self.member, starts: 4, life: Life(4))
        // A message of the start before is late, and a copy of the directory says the same.
        #expect(ledger.met(Self.start(3, [3]), isNeeded: { _ in true }) == .repeated(after: seen))
        #expect(ledger.met(Self.start(4, [9, 3]), isNeeded: { _ in true }) == .repeated(after: seen))
        #expect(ledger.remembered == [seen] && StartLedger(ledger.remembered).remembered == [seen])
    }

    @Test func `the ledger is bounded, and forgets those first who are no members`() {
        var ledger = StartLedger([])
        let last = Member(node: NodeID(1), incarnation: Incarnation(UInt64(StartLedger.countMax)))
        for number in 1...UInt64(StartLedger.countMax) + 1 {
            let member = Member(node: NodeID(1), incarnation: Incarnation(number))
            let start = MemberStart(member: member, generation: 1, starts: 1, lives: [Life(number)])
            #expect(ledger.met(start, isNeeded: { $0 == last }) == .new)
        }
        #expect(ledger.sightings.count == 2 && ledger.sightings[last] != nil)
    }

    @Test func `a leader whose directory was put back is not heard, is told why, and retires for good`() throws {
        let cluster = try ReplicaCluster(count: 3)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        let node = cluster.nodes[leader]
        let seen = MemberStart(member: node.member, generation: 1, starts: 2, lives: [Life(77), Life(1)])
        // The peers have seen a later start than the one that leads.
        for other in 0..<3 where other != leader { cluster.give(.met(seen), to: other) }
        cluster.pass(milliseconds: 2_000)
        #expect(node.retirement == .directoryRestored && node.core.retirement == .directoryRestored)
        #expect(node.core.raft.role == .follower && node.core.raft.leader == nil)
        let next = try #require(cluster.leader)
        #expect(next != leader)
        #expect(cluster.nodes[next].sightings.contains(seen.sighting))
        // It neither campaigns nor grants anything.
        cluster.cut(next)
        cluster.pass(milliseconds: 5_000)
        #expect(cluster.leader == nil && node.core.raft.role == .follower)
    }

    @Test func `a refusal that was meant for an earlier process changes nothing`() throws {
        let cluster = try ReplicaCluster(count: 3)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        let own = cluster.nodes[leader].core.start.sighting
        cluster.give(.refused(.repeatedStart(after: own), by: NodeID(9)), to: leader)
        cluster.give(.refused(.otherGeneration(1), by: NodeID(9)), to: leader)
        #expect(cluster.nodes[leader].core.retirement == nil && cluster.leader == leader)
    }

    @Test func `nodes of another generation are refused, and the older one retires`() throws {
        let cluster = try ReplicaCluster(count: 3)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        let follower = (leader + 1) % 3
        let node = cluster.nodes[follower]
        let newer = MemberStart(member: node.member, generation: 2, starts: 9, lives: [Life(9)])
        let heartbeat = Heartbeat(
            term: Term(1 << 20), leader: node.member, commit: .zero, readRound: 0, clock: .zero)
        cluster.give(.received(.heartbeat(heartbeat), from: newer), to: leader)
        #expect(cluster.nodes[leader].core.raft.term < Term(1 << 20))
        cluster.give(.refused(.otherGeneration(2), by: NodeID(9)), to: leader)
        #expect(cluster.nodes[leader].retirement == .clusterRecovered)
    }

    @Test func `what a node without its votes holds counts for nothing, and it follows all the same`() throws {
        let cluster = try ReplicaCluster(count: 3, retired: [2: .votesLost])
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        #expect(leader != 2)
        try cluster.propose("with both", id: 1, at: leader)
        #expect(cluster.answers[1] != nil)
        #expect(cluster.nodes[2].core.chain.tail == cluster.nodes[leader].core.chain.tail)
        cluster.cut(1 - leader)
        try cluster.propose("with the retired one", id: 2, at: leader)
        #expect(cluster.nodes[2].core.chain.tail == cluster.nodes[leader].core.chain.tail)
        cluster.pass(milliseconds: 200)
        #expect(cluster.answers[2] == nil)
    }

    @Test func `that a node without its votes hears a leader proves nothing: no read is answered on its word`() throws {
        let cluster = try ReplicaCluster(count: 3, retired: [2: .votesLost])
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        cluster.give(.readAsked(id: 1), to: leader)
        #expect(cluster.readsReady == [1])
        // It may have voted for this one, which may lead by now.
        cluster.cut(1 - leader)
        cluster.give(.readAsked(id: 2), to: leader)
        cluster.pass(milliseconds: 200)
        #expect(cluster.readsReady == [1])
        cluster.pass(milliseconds: 1_000)
        #expect(cluster.leader == nil)
    }
}
