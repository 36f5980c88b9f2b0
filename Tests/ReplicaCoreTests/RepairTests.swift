import LogModel
import ReplicaCore
import ReplicaTestSupport
import Testing

struct RepairTests {
    /// A led cluster with several sealed segments, all of it committed everywhere.
    private func cluster() throws -> (ReplicaCluster, leader: Int, follower: Int) {
        let cluster = try ReplicaCluster(count: 3, segmentByteCountMax: 1_024)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        for number in UInt64(1)...20 {
            try cluster.propose("\(number) " + String(repeating: "x", count: 300), id: number, at: leader)
        }
        cluster.pass(milliseconds: 50)
        return (cluster, leader, (leader + 1) % 3)
    }

    private func find(_ segment: UInt32, _ cluster: ReplicaCluster, at node: Int) {
        cluster.give(.damageFound(in: SegmentID(segment), end: Position(segment, 100)), to: node)
    }

    private func install(_ segment: SegmentID, _ cluster: ReplicaCluster, at node: Int) {
        cluster.give(.copyInstalled(segment, firstIndex: LogIndex(7), byteCount: 1_000), to: node)
    }

    @Test func `a damaged segment is fetched from the leader, installed, and forgotten`() throws {
        let (cluster, leader, follower) = try self.cluster()
        self.find(2, cluster, at: follower)
        let fetch = try #require(cluster.nodes[follower].copyFetches.first)
        #expect(fetch.segment == SegmentID(2) && fetch.peer == cluster.nodes[leader].member.node)
        #expect(cluster.nodes[follower].core.damagedSegments == [SegmentID(2)])
        let mayVote = cluster.nodes[follower].core.raft.mayVote
        #expect(mayVote)
        cluster.give(.copyFetched(SegmentID(2)), to: follower)
        #expect(cluster.nodes[follower].installs == [SegmentID(2)])
        self.install(SegmentID(2), cluster, at: follower)
        #expect(cluster.nodes[follower].core.damagedSegments == [])
        cluster.pass(milliseconds: 1_000)
        #expect(cluster.nodes[follower].copyFetches.count == 1)
    }

    @Test func `one at a time, the highest first, since a copy is checked against the segment behind it`() throws {
        let (cluster, _, follower) = try self.cluster()
        for segment: UInt32 in [1, 3, 2] { self.find(segment, cluster, at: follower) }
        var order = [SegmentID(1)]
        for _ in 0..<3 {
            let segment = try #require(cluster.nodes[follower].copyFetches.last?.segment)
            cluster.give(.copyFetched(segment), to: follower)
            self.install(segment, cluster, at: follower)
            order.append(segment)
        }
        // The first was begun before the others were found.
        #expect(order == [1, 1, 3, 2].map { SegmentID($0) })
        #expect(cluster.nodes[follower].core.damagedSegments == [])
    }

    @Test func `after a failure the next peer is asked, a little later`() throws {
        let (cluster, leader, _) = try self.cluster()
        self.find(1, cluster, at: leader)
        for _ in 0..<4 {
            let count = cluster.nodes[leader].copyFetches.count
            cluster.give(.repairFailed(SegmentID(1)), to: leader)
            #expect(cluster.nodes[leader].copyFetches.count == count)
            cluster.pass(milliseconds: 400)
            #expect(cluster.nodes[leader].copyFetches.count == count + 1)
        }
        let peers = cluster.nodes[leader].copyFetches.map(\.peer)
        #expect(Set(peers).count == 2 && zip(peers, peers.dropFirst()).allSatisfy { $0 != $1 })
    }

    @Test func `a segment of which nobody has a good copy keeps no other from its repair`() throws {
        let (cluster, leader, _) = try self.cluster()
        for segment: UInt32 in [3, 2, 1] { self.find(segment, cluster, at: leader) }
        for _ in 0..<8 {
            let segment = try #require(cluster.nodes[leader].copyFetches.last?.segment)
            cluster.give(.repairFailed(segment), to: leader)
            cluster.pass(milliseconds: 400)
        }
        // Both peers are asked for each, the highest first, and again.
        let asked = cluster.nodes[leader].copyFetches
        #expect(asked.map(\.segment) == [3, 3, 2, 2, 1, 1, 3, 3, 2].map { SegmentID($0) })
        for pair in 0..<4 { #expect(asked[2 * pair].peer != asked[2 * pair + 1].peer) }
        // What is good now may be what a copy of a lower one was to be checked against.
        cluster.give(.copyFetched(SegmentID(2)), to: leader)
        self.install(SegmentID(2), cluster, at: leader)
        #expect(cluster.nodes[leader].copyFetches.last?.segment == SegmentID(3))
    }

    @Test func `what no peer has is asked for less and less often, and at once as before when a repair succeeds`()
        throws
    {
        let (cluster, leader, _) = try self.cluster()
        self.find(1, cluster, at: leader)
        func pause() -> Int {
            let count = cluster.nodes[leader].copyFetches.count
            cluster.give(.repairFailed(SegmentID(1)), to: leader)
            var milliseconds = 0
            while cluster.nodes[leader].copyFetches.count == count, milliseconds < 60_000 {
                cluster.pass(milliseconds: 50)
                milliseconds += 50
            }
            return milliseconds
        }
        let pauses = (0..<20).map { _ in pause() }
        #expect(pauses[..<4].allSatisfy { $0 <= 300 })
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 <= $1 + 50 })
        #expect(pauses.suffix(4).allSatisfy { (7_900...8_100).contains($0) }, "\(pauses)")
        cluster.give(.copyFetched(SegmentID(1)), to: leader)
        self.install(SegmentID(1), cluster, at: leader)
        self.find(1, cluster, at: leader)
        #expect(pause() <= 300)
    }

    @Test func `a copy that failed to be installed is fetched again`() throws {
        let (cluster, _, follower) = try self.cluster()
        self.find(1, cluster, at: follower)
        cluster.give(.copyFetched(SegmentID(1)), to: follower)
        cluster.give(.repairFailed(SegmentID(1)), to: follower)
        cluster.pass(milliseconds: 400)
        #expect(cluster.nodes[follower].copyFetches.count == 2)
    }

    @Test(arguments: [true, false])
    func `the leader ends the active segment for damage in it, its own or a follower's`(isOwn: Bool) throws {
        let (cluster, leader, follower) = try self.cluster()
        let node = isOwn ? leader : follower
        let active = cluster.nodes[node].core.chain.tail.segment
        self.find(active.rawValue, cluster, at: node)
        #expect(cluster.nodes[node].copyFetches.isEmpty)
        cluster.pass(milliseconds: 300)
        let tails = cluster.nodes.map { $0.core.chain.tail.segment }
        #expect(tails == [active.next, active.next, active.next])
        #expect(cluster.nodes[node].copyFetches.map(\.segment) == [active])
    }

    @Test(arguments: [true, false])
    func `no segment is ended while leadership is handed over, but by whoever leads afterwards`(isOwn: Bool) throws {
        let (cluster, leader, follower) = try self.cluster()
        let node = isOwn ? leader : follower
        let target = (leader + 2) % 3
        let active = cluster.nodes[node].core.chain.tail.segment
        cluster.cut(target)
        cluster.give(.transferAsked(id: 7, to: cluster.nodes[target].member.node), to: leader)
        self.find(active.rawValue, cluster, at: node)
        cluster.pass(milliseconds: 100)
        #expect(cluster.transfers[7] == nil)
        #expect(cluster.nodes[leader].core.chain.tail.segment == active)
        cluster.mend(target)
        cluster.pass(milliseconds: 1_500)
        #expect(cluster.transfers[7] != nil)
        let tails = cluster.nodes.map { $0.core.chain.tail.segment }
        #expect(tails == [active.next, active.next, active.next])
    }

    @Test func `a file that keeps rotting has fewer and fewer segments ended`() throws {
        let (cluster, leader, follower) = try self.cluster()
        let first = cluster.nodes[leader].core.chain.tail.segment.rawValue
        func ended(in milliseconds: Int) -> UInt32 {
            for _ in 0..<milliseconds / 50 {
                self.find(cluster.nodes[follower].core.chain.tail.segment.rawValue, cluster, at: follower)
                cluster.pass(milliseconds: 50)
            }
            return cluster.nodes[leader].core.chain.tail.segment.rawValue - first
        }
        // At once, and 1, 3, 7, 15 and 31 seconds later.
        #expect(ended(in: 4_000) == 3)
        #expect(ended(in: 36_000) == 6)
    }

    @Test func `nothing behind a damaged segment is trimmed, since nobody knows what it holds`() throws {
        let (cluster, leader, _) = try self.cluster()
        self.find(2, cluster, at: leader)
        cluster.give(.trimAsked(id: 100, before: LogIndex(19)), to: leader)
        #expect(try cluster.trims[100]?.get().first == SegmentID(2))
    }

    @Test func `what a trim removes needs no repair`() throws {
        let (cluster, leader, follower) = try self.cluster()
        self.find(0, cluster, at: follower)
        cluster.give(.trimAsked(id: 100, before: LogIndex(9)), to: leader)
        cluster.pass(milliseconds: 50)
        #expect(cluster.nodes[follower].core.damagedSegments == [])
        cluster.give(.repairFailed(.first), to: follower)
        cluster.pass(milliseconds: 500)
        #expect(cluster.nodes[follower].copyFetches.count == 1)
    }

    @Test func `without a peer nothing is asked, and then as soon as there is one`() throws {
        let (cluster, _, follower) = try self.cluster()
        cluster.cut(follower)
        for other in 0..<3 where other != follower {
            cluster.give(.disconnected(from: cluster.nodes[other].member.node), to: follower)
        }
        self.find(1, cluster, at: follower)
        #expect(cluster.nodes[follower].copyFetches.isEmpty)
        cluster.mend(follower)
        cluster.pass(milliseconds: 50)
        #expect(cluster.nodes[follower].copyFetches.count == 1)
    }
}
