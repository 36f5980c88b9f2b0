import LogModel
import RaftCore
import ReplicaCore
import ReplicaTestSupport
import SegmentFormat
import Testing
import WireFormat

struct ReplicaCoreTests {
    private func cluster(segmentByteCountMax: Int = 1 << 20) throws -> (ReplicaCluster, leader: Int) {
        let cluster = try ReplicaCluster(count: 3, segmentByteCountMax: segmentByteCountMax)
        cluster.pass(milliseconds: 2_000)
        return (cluster, try #require(cluster.leader))
    }

    @Test func `an append is answered once a quorum has persisted it, and all nodes become level`() throws {
        let (cluster, leader) = try self.cluster()
        try cluster.propose("one", id: 1, at: leader)
        let outcome = try #require(try cluster.answers[1]?.get())
        #expect(outcome.first == .first)
        #expect(outcome.durability == .persisted)
        #expect(outcome.nodes >= 2 && outcome.voters == 3)
        cluster.pass(milliseconds: 50)
        for node in cluster.nodes { #expect(node.core.commit == cluster.nodes[leader].core.chain.tail) }
    }

    @Test func `followers hear at the next tick of a commit that no range carries`() throws {
        let (cluster, leader) = try self.cluster()
        let owedBefore = cluster.nodes[leader].core.owes(cluster.nodes[leader].core.commit)
        try cluster.propose("one", id: 1, at: leader)
        let tail = cluster.nodes[leader].core.chain.tail
        let owed = cluster.nodes[leader].core.owes(tail)
        #expect(!owedBefore && owed)
        for (number, node) in cluster.nodes.enumerated() { #expect((node.core.commit == tail) == (number == leader)) }
        cluster.give(.ticked, to: leader)
        let owedAfter = cluster.nodes[leader].core.owes(tail)
        #expect(!owedAfter)
        for node in cluster.nodes { #expect(node.core.commit == tail) }
    }

    @Test func `an append that waits for all is answered once the last voter has it, or says who has`() throws {
        let (cluster, leader) = try self.cluster()
        let away = (leader + 1) % 3
        let label = AppendLabel.key(IdempotencyKey(high: 1, low: 2))
        let draft = try FrameDraft.records([Record("one")], label: label)
        let submission = Submission(draft, acknowledgedBy: .all(withinMilliseconds: 300))
        cluster.cut(away)
        cluster.propose(submission, id: 1, at: leader)
        cluster.pass(milliseconds: 200)
        #expect(cluster.answers[1] == nil && cluster.nodes[leader].core.commit == cluster.nodes[leader].core.chain.tail)
        cluster.pass(milliseconds: 200)
        guard case .failure(.notByAll(let outcome)) = cluster.answers[1] else {
            Issue.record("\(String(describing: cluster.answers[1]))")
            return
        }
        #expect(outcome.first == .first && outcome.nodes == 2 && outcome.voters == 3)
        cluster.propose(submission, id: 2, at: leader)
        #expect(cluster.answers[2] == nil)
        cluster.mend(away)
        cluster.pass(milliseconds: 290)
        let whole = try #require(try cluster.answers[2]?.get())
        #expect(whole.isDuplicate && whole.first == .first && whole.nodes == 3)
    }

    @Test func `a voter is removed by way of a joint membership, and asking again changes nothing`() throws {
        let (cluster, leader) = try self.cluster()
        let other = (leader + 1) % 3
        let node = cluster.nodes[other].member.node
        cluster.give(.membershipAsked(id: 1, .remove(node)), to: leader)
        cluster.pass(milliseconds: 50)
        #expect(try cluster.changes[1]?.get() != nil)
        for node in cluster.nodes { #expect(node.core.raft.membership.voters.count == 2) }
        cluster.give(.membershipAsked(id: 2, .remove(node)), to: leader)
        #expect(try cluster.changes[2]?.get().voters.count == 2)
        cluster.give(.membershipAsked(id: 3, .remove(node)), to: other)
        #expect(cluster.changes[3] == .failure(.notLeader(leader: cluster.nodes[leader].member.node)))
    }

    @Test func `a leader that is removed hands over, and nobody is refused`() throws {
        let (cluster, leader) = try self.cluster()
        let member = cluster.nodes[leader].member
        cluster.give(.membershipAsked(id: 1, .remove(member.node)), to: leader)
        try cluster.propose("meanwhile", id: 2, at: leader)
        cluster.pass(milliseconds: 200)
        let next = try #require(cluster.leader)
        #expect(next != leader && !cluster.nodes[next].core.raft.membership.contains(member))
        let leading = cluster.nodes[next].member.node
        let answer = try #require(cluster.answers[2])
        if case .failure(let failure) = answer { #expect(failure == .notLeader(leader: leading)) }
        try cluster.propose("after", id: 3, at: next)
        #expect(try cluster.answers[3]?.get() != nil)
        #expect(cluster.nodes[leader].core.raft.role == .follower)
    }

    @Test func `one change of members waits for the other, and its outcome may be unknown`() throws {
        let (cluster, leader) = try self.cluster()
        for other in [(leader + 1) % 3, (leader + 2) % 3] { cluster.cut(other) }
        let (one, two) = (cluster.nodes[(leader + 1) % 3].member.node, cluster.nodes[(leader + 2) % 3].member.node)
        cluster.give(.membershipAsked(id: 1, .remove(one)), to: leader)
        cluster.give(.membershipAsked(id: 2, .remove(two)), to: leader)
        #expect(cluster.changes[2] == .failure(.refused(.isUnderWay)))
        cluster.pass(milliseconds: 1_000)
        #expect(cluster.changes[1] == .failure(.unknownOutcome))
        for other in [(leader + 1) % 3, (leader + 2) % 3] { cluster.mend(other) }
        cluster.pass(milliseconds: 2_000)
        let next = try #require(cluster.leader)
        #expect(!cluster.nodes[next].core.raft.membership.isJoint)
    }

    @Test func `handing over holds appends, and sends them to the next leader`() throws {
        let (cluster, leader) = try self.cluster()
        try cluster.propose("before", id: 1, at: leader)
        let target = (leader + 1) % 3
        cluster.cut(target)
        cluster.pass(milliseconds: 20)
        cluster.give(.transferAsked(id: 7, to: cluster.nodes[target].member.node), to: leader)
        try cluster.propose("meanwhile", id: 2, at: leader)
        #expect(cluster.answers[2] == nil && cluster.transfers[7] == nil)
        cluster.mend(target)
        cluster.pass(milliseconds: 100)
        #expect(cluster.leader == target)
        let next = cluster.nodes[target].member.node
        #expect(cluster.transfers[7] == .success(next))
        #expect(cluster.answers[2] == .failure(.notLeader(leader: next)))
        try cluster.propose("after", id: 3, at: target)
        #expect(try cluster.answers[3]?.get().first == LogIndex(2))
    }

    @Test func `a handover that nobody takes up ends, and what was held is appended after all`() throws {
        let (cluster, leader) = try self.cluster()
        let target = (leader + 1) % 3
        cluster.cut(target)
        cluster.give(.transferAsked(id: 7, to: cluster.nodes[target].member.node), to: leader)
        try cluster.propose("held", id: 1, at: leader)
        cluster.give(.transferAsked(id: 8, to: nil), to: leader)
        #expect(cluster.transfers[8] == .failure(.isUnderWay))
        cluster.pass(milliseconds: 1_000)
        #expect(cluster.leader == leader && cluster.transfers[7] == .failure(.failed))
        #expect(try cluster.answers[1]?.get().first == .first)
        cluster.give(.transferAsked(id: 9, to: cluster.nodes[target].member.node), to: leader)
        #expect(cluster.transfers[9] == .failure(.failed))
        cluster.give(.transferAsked(id: 10, to: nil), to: (leader + 2) % 3)
        #expect(cluster.transfers[10] == .failure(.notLeader(leader: cluster.nodes[leader].member.node)))
    }

    @Test func `a follower refuses and names the leader`() throws {
        let (cluster, leader) = try self.cluster()
        try cluster.propose("one", id: 1, at: (leader + 1) % 3)
        let expected = Result<AppendOutcome, AppendFailure>.failure(
            .notLeader(leader: cluster.nodes[leader].member.node))
        #expect(cluster.answers[1] == expected)
    }

    @Test func `a retry gets the first answer again, also from the next leader`() throws {
        let (cluster, leader) = try self.cluster()
        let append = AppendLabel.producer(ProducerSequence(producer: 7, sequence: 1))
        try cluster.propose("one", id: 1, label: append, at: leader)
        try cluster.propose("one", id: 2, label: append, at: leader)
        cluster.pass(milliseconds: 50)
        cluster.cut(leader)
        cluster.pass(milliseconds: 2_000)
        let next = try #require(cluster.leader)
        try cluster.propose("one", id: 3, label: append, at: next)
        let first = try #require(try cluster.answers[1]?.get())
        for id in [UInt64(2), 3] {
            let again = try #require(try cluster.answers[id]?.get())
            #expect(again.first == first.first && again.position == first.position && again.isDuplicate)
        }
    }

    @Test func `a left-out sequence is refused by name`() throws {
        let (cluster, leader) = try self.cluster()
        try cluster.propose("one", id: 1, label: .producer(ProducerSequence(producer: 7, sequence: 1)), at: leader)
        try cluster.propose("three", id: 2, label: .producer(ProducerSequence(producer: 7, sequence: 3)), at: leader)
        try cluster.propose("nine", id: 3, label: .producer(ProducerSequence(producer: 9, sequence: 9)), at: leader)
        #expect(cluster.answers[2] == .failure(.producerGap(expected: 2)))
        #expect(cluster.answers[3] == .failure(.producerExpired))
    }

    @Test func `a run is taken when all of it is new, and each of its appends can be asked for again`() throws {
        let (cluster, leader) = try self.cluster()
        func propose(_ count: Int, from sequence: UInt64, id: UInt64) throws {
            let label = AppendLabel.run(from: ProducerSequence(producer: 7, sequence: sequence))
            let draft = try FrameDraft.records([Record](repeating: Record("x"), count: count), label: label)
            cluster.propose(Submission(draft), id: id, at: leader)
        }
        try propose(3, from: 1, id: 1)
        let run = try #require(try cluster.answers[1]?.get())
        #expect(run.last == run.first.advanced(by: 2) && !run.isDuplicate)
        // Some or all of it is there, something is left out, the producer is not known.
        try propose(3, from: 1, id: 2)
        try propose(3, from: 3, id: 3)
        try propose(3, from: 6, id: 4)
        #expect([2, 3, 4].allSatisfy { cluster.answers[$0] == .failure(.producerGap(expected: 4)) })
        try cluster.propose(
            "x", id: 5, label: .producer(ProducerSequence(producer: 7, sequence: 2)), at: leader)
        let again = try #require(try cluster.answers[5]?.get())
        #expect(again.isDuplicate && again.first == run.first.advanced(by: 1) && again.last == again.first)
        #expect(again.position == run.position)
    }

    @Test func `what a cut-off leader appended alone is unknown, and is cut when it returns`() throws {
        let (cluster, old) = try self.cluster()
        cluster.cut(old)
        try cluster.propose("lost", id: 1, at: old)
        cluster.pass(milliseconds: 2_000)
        #expect(cluster.answers[1] == .failure(.leadershipLost))
        let next = try #require(cluster.leader)
        try cluster.propose("kept", id: 2, at: next)
        #expect(try cluster.answers[2]?.get().first == .first)
        cluster.mend(old)
        cluster.pass(milliseconds: 500)
        #expect(cluster.nodes[old].truncations.count == 1)
        #expect(cluster.nodes[old].core.chain == cluster.nodes[next].core.chain)
    }

    @Test func `a follower that was away over rotations is level again`() throws {
        let (cluster, leader) = try self.cluster(segmentByteCountMax: 4 << 10)
        let away = (leader + 1) % 3
        cluster.cut(away)
        for id in 1...60 { try cluster.propose(String(repeating: "x", count: 300), id: UInt64(id), at: leader) }
        cluster.mend(away)
        cluster.pass(milliseconds: 500)
        #expect(cluster.nodes[leader].core.chain.tail.segment >= SegmentID(3))
        #expect(cluster.nodes[away].core.chain == cluster.nodes[leader].core.chain)
        #expect(cluster.nodes[away].core.commit == cluster.nodes[leader].core.commit)
    }

    @Test func `what comes together is cut into ranges of bounded size`() throws {
        let (cluster, leader) = try self.cluster(segmentByteCountMax: 64 << 20)
        let value = Record(String(repeating: "x", count: 100_000))
        let proposals = try (1...40).map { id in
            Proposal(id: UInt64(id), Submission(try .records([value])))
        }
        cluster.give(.proposed(proposals), to: leader)
        for id in UInt64(1)...40 { #expect(try cluster.answers[id]?.get().first == LogIndex(id)) }
        for node in cluster.nodes { #expect(node.largestWriteByteCount <= ReplicaLimits().rangeByteCountMax) }
    }

    @Test func `a commit position inside a frame commits the whole frames before it`() throws {
        let (cluster, leader) = try self.cluster()
        try cluster.propose("one", id: 1, at: leader)
        cluster.pass(milliseconds: 50)
        let follower = (leader + 1) % 3
        let before = cluster.nodes[follower].core.commit
        cluster.cut(follower)
        let leading = cluster.nodes[leader]
        let heartbeat = Heartbeat(
            term: leading.core.raft.term, leader: leading.member, commit: before.advanced(by: 1), readRound: 0,
            clock: .zero)
        cluster.give(.received(.heartbeat(heartbeat), from: leading.core.start), to: follower)
        #expect(cluster.nodes[follower].core.commit == before)
    }

    @Test func `a frame that no segment can hold is refused before anything is placed`() throws {
        let (cluster, leader) = try self.cluster(segmentByteCountMax: 4 << 10)
        let tail = cluster.nodes[leader].core.chain.tail
        try cluster.propose(String(repeating: "x", count: 5_000), id: 1, at: leader)
        guard case .failure(.tooLarge) = cluster.answers[1] else {
            Issue.record("got \(String(describing: cluster.answers[1]))")
            return
        }
        #expect(cluster.nodes[leader].core.chain.tail == tail)
    }

    @Test func `an append that finds no quorum in time is called unknown`() throws {
        let (cluster, leader) = try self.cluster()
        for other in 0..<3 where other != leader { cluster.cut(other) }
        try cluster.propose("one", id: 1, at: leader)
        cluster.pass(milliseconds: 12_000)
        let isUnknown = [.failure(.timedOut), .failure(.leadershipLost)].contains(cluster.answers[1])
        #expect(isUnknown)
    }
}
