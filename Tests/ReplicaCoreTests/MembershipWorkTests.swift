import LogModel
import RaftCore
import ReplicaCore
import ReplicaTestSupport
import Testing

/// A leader's part in changes of members.
struct MembershipWorkTests {
    private let address = MemberAddress(peer: "h:1", client: "h:2")

    /// Four nodes, of which one was removed and is a learner again that waits to be promoted.
    private func waiting() throws -> (cluster: ReplicaCluster, leader: Int, learner: Int) {
        let cluster = try ReplicaCluster(count: 4)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        let learner = (leader + 1) % 4
        let member = cluster.nodes[learner].member
        cluster.give(.membershipAsked(id: 1, .remove(member.node)), to: leader)
        cluster.pass(milliseconds: 100)
        cluster.give(.membershipAsked(id: 2, .add(Learner(member, isPromoted: false), at: self.address)), to: leader)
        cluster.pass(milliseconds: 1_000)
        #expect(try cluster.changes[2]?.get().learners.count == 1)
        return (cluster, leader, learner)
    }

    @Test func `a learner that is level votes as soon as it is to`() throws {
        let (cluster, leader, learner) = try self.waiting()
        let member = cluster.nodes[learner].member
        cluster.give(.membershipAsked(id: 3, .promote(member.node)), to: leader)
        cluster.pass(milliseconds: 300)
        let membership = cluster.nodes[leader].core.raft.membership
        #expect(membership.voters.contains(member) && !membership.isJoint)
    }

    @Test func `a learner that nobody hears of is not promoted, however level it once was`() throws {
        let (cluster, leader, learner) = try self.waiting()
        let member = cluster.nodes[learner].member
        cluster.cut(learner)
        // Level by its acknowledgements, and gone.
        cluster.give(.membershipAsked(id: 3, .promote(member.node)), to: leader)
        cluster.pass(milliseconds: 1_000)
        #expect(!cluster.nodes[leader].core.raft.membership.isVoter(member))
        for id in UInt64(10)...60 { try cluster.propose("more", id: id, at: leader) }
        cluster.mend(learner)
        cluster.pass(milliseconds: 1_000)
        #expect(cluster.nodes[leader].core.raft.membership.isVoter(member))
    }

    @Test func `asking again is answered when the frame is committed, not before`() throws {
        let (cluster, leader, learner) = try self.waiting()
        let node = cluster.nodes[learner].member.node
        // Heartbeats are answered, and nothing is shipped.
        for (node, progress) in cluster.nodes[leader].core.followers {
            cluster.give(.streamClosed(try #require(progress.stream), to: node), to: leader)
        }
        for id in [3, 4] as [UInt64] { cluster.give(.membershipAsked(id: id, .remove(node)), to: leader) }
        #expect(cluster.changes[3] == nil && cluster.changes[4] == nil)
        cluster.pass(milliseconds: 1_000)
        for id in [3, 4] as [UInt64] { #expect(try cluster.changes[id]?.get().learners.isEmpty == true) }
    }

    @Test func `a leader is not replaced by its own number`() throws {
        let cluster = try ReplicaCluster(count: 3)
        cluster.pass(milliseconds: 2_000)
        let leader = try #require(cluster.leader)
        let node = cluster.nodes[leader].member.node
        let new = Member(node: node, incarnation: Incarnation(99))
        cluster.give(.membershipAsked(id: 1, .add(Learner(new, replaces: node), at: self.address)), to: leader)
        #expect(cluster.changes[1] == .failure(.refused(.leads(node))))
    }
}
