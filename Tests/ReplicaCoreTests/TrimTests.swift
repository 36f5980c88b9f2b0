import LogModel
import ReplicaCore
import ReplicaTestSupport
import Testing

struct TrimTests {
    /// A led cluster with several sealed segments, and the index of its last record.
    private func cluster() throws -> (ReplicaCluster, leader: Int, last: LogIndex) {
        let cluster = try ReplicaCluster(count: 3, segmentByteCountMax: 1_024)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        for number in UInt64(1)...20 {
            try cluster.propose("\(number) " + String(repeating: "x", count: 300), id: number, at: leader)
        }
        let last = try #require(try cluster.answers[20]?.get().last)
        #expect(cluster.nodes[leader].core.chain.tail.segment > SegmentID(4))
        cluster.pass(milliseconds: 50)
        return (cluster, leader, last)
    }

    @Test func `a trim is answered once it is committed, and every node removes its segments`() throws {
        let (cluster, leader, _) = try self.cluster()
        cluster.give(.trimAsked(id: 100, before: LogIndex(9)), to: leader)
        let outcome = try #require(try cluster.trims[100]?.get())
        #expect(outcome.first > .first && outcome.firstIndex > .first && outcome.firstIndex <= LogIndex(9))
        cluster.pass(milliseconds: 50)
        for node in cluster.nodes {
            #expect(node.trims == [Position(segment: outcome.first, offset: 0)])
            #expect(node.core.segments.first == outcome.first)
        }
    }

    @Test func `asking again, or for less, is answered with where the log begins, and changes nothing`() throws {
        let (cluster, leader, _) = try self.cluster()
        cluster.give(.trimAsked(id: 100, before: LogIndex(9)), to: leader)
        cluster.pass(milliseconds: 100)
        let tail = cluster.nodes[leader].core.chain.tail
        for (id, index) in [(UInt64(101), UInt64(9)), (102, 1)] {
            cluster.give(.trimAsked(id: id, before: LogIndex(index)), to: leader)
            cluster.pass(milliseconds: 100)
            #expect(cluster.trims[id] == cluster.trims[100])
        }
        #expect(cluster.nodes[leader].core.chain.tail == tail)
    }

    @Test func `the newest sealed segment stays, and the active one`() throws {
        let (cluster, leader, last) = try self.cluster()
        let active = cluster.nodes[leader].core.chain.tail.segment
        cluster.give(.trimAsked(id: 100, before: last.advanced(by: 1)), to: leader)
        #expect(try cluster.trims[100]?.get().first.next == active)
    }

    @Test func `what is not committed stays`() throws {
        let (cluster, leader, last) = try self.cluster()
        let commit = cluster.nodes[leader].core.commit
        for other in 0..<3 where other != leader { cluster.cut(other) }
        for number in UInt64(30)...40 {
            try cluster.propose(String(repeating: "y", count: 400), id: number, at: leader)
        }
        cluster.give(.trimAsked(id: 100, before: last.advanced(by: 11)), to: leader)
        #expect(cluster.trims[100] == nil)
        for other in 0..<3 where other != leader { cluster.mend(other) }
        cluster.pass(milliseconds: 1_000)
        #expect(try #require(try cluster.trims[100]?.get()).first <= commit.segment.next)
    }

    @Test func `a full disk refuses appends that need a segment, and trims none the less`() throws {
        let (cluster, leader, _) = try self.cluster()
        cluster.give(.diskRoom(.activeSegmentOnly), to: leader)
        for number in UInt64(30)...33 {
            try cluster.propose(String(repeating: "y", count: 400), id: number, at: leader)
        }
        #expect(cluster.answers[33] == .failure(.noSpace))
        cluster.give(.trimAsked(id: 100, before: LogIndex(9)), to: leader)
        #expect(throws: Never.self) { try #require(cluster.trims[100]).get() }
    }

    @Test func `a disk on which a write waits for room has none for appends, and has again when it ends`() throws {
        let (cluster, leader, _) = try self.cluster()
        cluster.give(.diskRoom(.none), to: leader)
        try cluster.propose("x", id: 30, at: leader)
        #expect(cluster.answers[30] == .failure(.noSpace))
        cluster.give(.diskRoom(.enough), to: leader)
        try cluster.propose("x", id: 31, at: leader)
        #expect(throws: Never.self) { try #require(cluster.answers[31]).get() }
    }

    @Test func `a follower refuses and names the leader; one that loses leadership says that the outcome is unknown`()
        throws
    {
        let (cluster, leader, _) = try self.cluster()
        let member = cluster.nodes[leader].member
        cluster.give(.trimAsked(id: 100, before: LogIndex(9)), to: (leader + 1) % 3)
        #expect(cluster.trims[100] == .failure(.notLeader(leader: member.node)))
        cluster.cut(leader)
        cluster.give(.trimAsked(id: 101, before: LogIndex(9)), to: leader)
        cluster.pass(milliseconds: 2_000)
        #expect(cluster.trims[101] == .failure(.leadershipLost))
    }

    @Test func `a trim that finds no quorum is answered all the same, as unknown`() throws {
        let (cluster, leader, _) = try self.cluster()
        for other in 0..<3 where other != leader { cluster.cut(other) }
        cluster.give(.trimAsked(id: 100, before: LogIndex(9)), to: leader)
        cluster.pass(milliseconds: 12_000)
        #expect(cluster.trims[100] == .failure(.leadershipLost))
    }

    @Test func `a follower that lacks what was trimmed is told where the log begins, and fetches that segment once`()
        throws
    {
        let (cluster, leader, follower) = try self.leftBehind()
        let first = cluster.nodes[leader].core.segments.first
        let node = cluster.nodes[follower]
        #expect(node.fetches.map(\.segment) == [first])
        #expect(node.fetches.map(\.from) == [cluster.nodes[leader].member.node])
        cluster.pass(milliseconds: 2_000)
        #expect(node.fetches.count == 1 && node.begunAnew == nil)
        cluster.give(.fetched(first), to: follower)
        #expect(node.begunAnew == first)
    }

    @Test func `a fetch that failed is begun again, and the old log is kept meanwhile`() throws {
        let (cluster, leader, follower) = try self.leftBehind()
        let first = cluster.nodes[leader].core.segments.first
        let tail = cluster.nodes[follower].core.chain.tail
        cluster.give(.fetchFailed(first), to: follower)
        cluster.pass(milliseconds: 500)
        #expect(cluster.nodes[follower].fetches.count == 2)
        #expect(cluster.nodes[follower].core.chain.tail == tail)
    }

    @Test func `a leader that has trimmed less confirms the log, and the copy is dropped`() throws {
        let (cluster, leader, follower) = try self.leftBehind(isThirdCut: true)
        let first = cluster.nodes[leader].core.segments.first
        let third = 3 - leader - follower
        #expect(cluster.nodes[follower].fetches.count == 1)
        // The third has all records and does not know yet that the trim is committed.
        cluster.cut(leader)
        cluster.mend(third)
        cluster.pass(milliseconds: 3_000)
        #expect(cluster.leader == third)
        #expect(cluster.nodes[follower].droppedFetchCount == 1)
        cluster.give(.fetched(first), to: follower)
        #expect(cluster.nodes[follower].begunAnew == nil)
    }

    /// A cluster in which one follower was away while the others went on and trimmed, and is back.
    private func leftBehind(isThirdCut: Bool = false) throws -> (ReplicaCluster, leader: Int, follower: Int) {
        let cluster = try ReplicaCluster(count: 3, segmentByteCountMax: 1_024)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        let follower = (leader + 1) % 3
        cluster.cut(follower)
        for number in UInt64(1)...20 {
            try cluster.propose(String(repeating: "x", count: 300), id: number, at: leader)
        }
        cluster.give(.trimAsked(id: 100, before: LogIndex(15)), to: leader)
        if isThirdCut { cluster.cut((leader + 2) % 3) }
        cluster.pass(milliseconds: 50)
        #expect(throws: Never.self) { try #require(cluster.trims[100]).get() }
        cluster.mend(follower)
        cluster.pass(milliseconds: 300)
        return (cluster, leader, follower)
    }
}
