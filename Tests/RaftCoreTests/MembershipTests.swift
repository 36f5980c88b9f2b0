import LogModel
import RaftCore
import Testing
import WireFormat

struct MembershipTests {
    private let address = MemberAddress(peer: "h:1", client: "h:2")

    private func add(_ node: UInt32, incarnation: UInt64, replaces: UInt32? = nil) -> MembershipChange {
        .add(
            Learner(
                Member(node: NodeID(node), incarnation: Incarnation(incarnation)), replaces: replaces.map { NodeID($0) }
            ),
            at: self.address)
    }

    // MARK: Quorums

    @Test func `a joint quorum needs a majority of each half`() {
        let joint = Membership(voters: [2, 3, 4].map(testMember), outgoing: [1, 2, 3].map(testMember))
        func isQuorum(_ nodes: UInt32...) -> Bool { joint.hasQuorum { nodes.contains($0.node.rawValue) } }
        #expect(isQuorum(2, 3) && isQuorum(1, 2, 4))
        #expect(!isQuorum(1, 2) && !isQuorum(3, 4) && !isQuorum(1, 4))
        #expect(joint.quorumValue { [1: 9, 2: 7, 3: 5, 4: 1][$0.node.rawValue] ?? 0 } == 5)
        #expect(joint.quorumValue { [1: 1, 2: 2, 3: 9, 4: 9][$0.node.rawValue] ?? 0 } == 2)
        #expect(Membership().quorumValue { _ in 1 } == nil)
        #expect(!Membership().hasQuorum { _ in true })
    }

    @Test func `of four voters three decide, of five three`() {
        for (count, quorum) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
            let membership = testMembership(count)
            #expect(membership.hasQuorum { $0.node.rawValue <= UInt32(quorum) })
            #expect(!membership.hasQuorum { $0.node.rawValue < UInt32(quorum) })
            #expect(membership.quorumValue { $0.node.rawValue } == UInt32(count - quorum + 1))
        }
    }

    // MARK: Changes

    @Test func `a new node learns, is promoted by way of a joint membership, and votes`() throws {
        let three = testMembership(3)
        let learning = try #require(try three.applying(self.add(4, incarnation: 0xa4)))
        #expect(learning.voters == three.voters && !learning.isVoter(testMember(4)))
        #expect(learning.addresses == [NodeID(4): self.address])
        #expect(learning.promoting { _ in false } == nil)
        let joint = try #require(learning.promoting { $0 == testMember(4) })
        #expect(joint.voters == testMembership(4).voters && joint.outgoing == three.voters && joint.learners.isEmpty)
        #expect(joint.promoting { _ in true } == nil)
        #expect(joint.completed.voters == testMembership(4).voters && !joint.completed.isJoint)
    }

    @Test func `a wiped node replaces its older incarnation`() throws {
        let three = testMembership(3)
        #expect(throws: MembershipRefusal.otherIncarnation(testMember(3))) {
            try three.applying(self.add(3, incarnation: 7))
        }
        let learning = try #require(try three.applying(self.add(3, incarnation: 7, replaces: 3)))
        let wiped = Member(node: NodeID(3), incarnation: Incarnation(7))
        #expect(learning.member(NodeID(3)) == wiped && learning.isVoter(testMember(3)))
        let joint = try #require(learning.promoting { _ in true })
        #expect(joint.voters == [testMember(1), testMember(2), wiped] && joint.outgoing == three.voters)
    }

    @Test func `another node takes the place of one that leaves`() throws {
        let learning = try #require(try testMembership(3).applying(self.add(5, incarnation: 0xa5, replaces: 1)))
        let joint = try #require(learning.promoting { _ in true })
        #expect(joint.voters == [2, 3, 5].map(testMember))
        #expect(throws: MembershipRefusal.unknownNode(NodeID(9))) {
            try testMembership(3).applying(self.add(5, incarnation: 5, replaces: 9))
        }
    }

    @Test func `asking again changes nothing`() throws {
        let learning = try #require(try testMembership(3).applying(self.add(4, incarnation: 0xa4)))
        #expect(try learning.applying(self.add(4, incarnation: 0xa4)) == nil)
        #expect(try testMembership(4).applying(self.add(4, incarnation: 0xa4)) == nil)
        #expect(try testMembership(3).applying(.remove(NodeID(4))) == nil)
        #expect(try testMembership(3).applying(.promote(NodeID(2))) == nil)
    }

    @Test func `a learner that was wiped again takes its own place`() throws {
        let learning = try #require(try testMembership(3).applying(self.add(4, incarnation: 1)))
        let again = try #require(try learning.applying(self.add(4, incarnation: 2)))
        #expect(again.learners.map(\.member.incarnation) == [Incarnation(2)])
    }

    @Test func `a voter leaves by way of a joint membership, a learner at once, the last voter never`() throws {
        let leaving = try #require(try testMembership(3).applying(.remove(NodeID(1))))
        #expect(leaving.isJoint && leaving.completed.voters == [testMember(2), testMember(3)])
        let learning = try #require(try testMembership(3).applying(self.add(4, incarnation: 0xa4)))
        #expect(try learning.applying(.remove(NodeID(4))) == testMembership(3))
        #expect(throws: MembershipRefusal.lastVoter) { try testMembership(1).applying(.remove(NodeID(1))) }
    }

    @Test func `while voters change, nothing else does`() throws {
        let joint = try #require(try testMembership(3).applying(.remove(NodeID(1))))
        for change in [self.add(4, incarnation: 4), .remove(NodeID(2))] {
            #expect(throws: MembershipRefusal.isUnderWay) { try joint.applying(change) }
        }
        #expect(try joint.applying(.remove(NodeID(1))) == nil)
    }

    @Test func `a learner that waits is promoted when it is asked for`() throws {
        let waiting = Membership(
            voters: testMembership(3).voters, learners: [Learner(testMember(4), isPromoted: false)])
        #expect(waiting.promoting { _ in true } == nil)
        let wanted = try #require(try waiting.applying(.promote(NodeID(4))))
        #expect(wanted.promoting { _ in true } != nil)
        #expect(throws: MembershipRefusal.unknownNode(NodeID(9))) { try waiting.applying(.promote(NodeID(9))) }
    }

    @Test func `a voter takes another's place, or moves to another address`() throws {
        let four = testMembership(4)
        let joint = try #require(try four.applying(.add(Learner(testMember(4), replaces: NodeID(3)), at: self.address)))
        #expect(joint.isJoint && joint.completed.voters == [1, 2, 4].map(testMember))
        let moved = try #require(
            try joint.completed.applying(
                .add(Learner(testMember(4)), at: MemberAddress(peer: "i:1", client: "i:2"))))
        #expect(!moved.isJoint && moved.addresses[NodeID(4)]?.peer == "i:1")
    }

    @Test func `a learner stays when the node goes whose place it was to take`() throws {
        let learning = try #require(try testMembership(3).applying(self.add(4, incarnation: 0xa4, replaces: 3)))
        let left = try #require(try learning.applying(.remove(NodeID(3))))
        #expect(left.completed.voters == [1, 2].map(testMember))
        #expect(left.learners == [Learner(testMember(4))])
    }

    // MARK: A node that leaves

    private func core(_ node: UInt32, _ membership: Membership, tail: UInt32) -> RaftCore {
        RaftCore(
            configuration: RaftConfiguration(member: testMember(node)),
            recovered: RaftRecovered(
                hardState: HardState(term: Term(3), vote: nil), membership: membership,
                terms: [TermStart(term: Term(3), firstIndex: .first, position: Position(0, 64))],
                tail: LogPoint(term: Term(3), position: Position(0, tail)), commit: Position(0, 200)),
            now: .zero, randomSeed: UInt64(node))
    }

    /// The two speak to each other for so long; every message arrives.
    private func leader(of first: consuming RaftCore, _ second: consuming RaftCore, within count: UInt64) -> NodeID? {
        var one = first
        var two = second
        var letters: [(to: UInt32, RaftInput)] = []
        func taken(_ input: RaftInput, by core: inout RaftCore, at now: MonotonicTime) {
            for effect in core.step(input, now: now) {
                switch effect {
                case .persistVote(let state): taken(.votePersisted(state), by: &core, at: now)
                case .send(let message, let to):
                    letters.append((to.node.rawValue, .received(message, from: core.configuration.member)))
                default: break
                }
            }
        }
        for time in stride(from: 0, to: count, by: 10) {
            let now = milliseconds(time)
            taken(.ticked, by: &one, at: now)
            taken(.ticked, by: &two, at: now)
            while !letters.isEmpty {
                let (to, input) = letters.removeFirst()
                if to == one.configuration.member.node.rawValue { taken(input, by: &one, at: now) }
                if to == two.configuration.member.node.rawValue { taken(input, by: &two, at: now) }
            }
            for core in [one.role == .leader ? one.leader : nil, two.role == .leader ? two.leader : nil] {
                if let core { return core }
            }
        }
        return nil
    }

    /// It leads once more, to have it committed, though it does not vote.
    @Test func `a node that leaves and alone has the frame that says so is elected`() {
        let joint = Membership(voters: [testMember(2)], outgoing: [testMember(1), testMember(2)])
        let leader = self.leader(
            of: self.core(1, joint.completed, tail: 300), self.core(2, joint, tail: 200), within: 30_000)
        #expect(leader == NodeID(1))
    }

    @Test func `a node that has left does not campaign once that is committed`() {
        let rest = Membership(voters: [testMember(2), testMember(3)])
        var core = self.core(1, rest, tail: 200)
        for time in stride(from: 0 as UInt64, to: 3_000, by: 10) {
            #expect(
                !core.step(.ticked, now: milliseconds(time)).contains { if case .send = $0 { true } else { false } })
        }
        #expect(core.role == .follower)
    }
}
