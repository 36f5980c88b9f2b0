import LogModel
import ReplicaCore
import Testing
import WireFormat

struct FormingTests {
    private let own = Member(node: NodeID(1), incarnation: Incarnation(11))
    private let configured = [NodeID(1), NodeID(2), NodeID(3)]

    private func answer(_ node: UInt32, incarnation: UInt64, founders: [Member] = []) -> PeerIdentity {
        PeerIdentity(
            cluster: nil, node: NodeID(node), incarnation: Incarnation(incarnation), generation: 0, starts: 1,
            isBlank: founders.isEmpty, founders: founders)
    }

    @Test func `a blank node waits until every other member has answered`() {
        let decision = Forming.decide(
            own: self.own, configured: self.configured, answers: [NodeID(2): self.answer(2, incarnation: 22)])
        #expect(decision == .wait(missing: [NodeID(3)]))
    }

    @Test func `blank nodes found the same log, byte for byte, whoever asks`() {
        let members = (1...3).map { Member(node: NodeID($0), incarnation: Incarnation(UInt64($0) * 11)) }
        var founded: Set<[UInt8]> = []
        for own in members {
            var answers: [NodeID: PeerIdentity] = [:]
            for other in members where other != own {
                answers[other.node] = self.answer(other.node.rawValue, incarnation: other.incarnation.rawValue)
            }
            guard case .form(let log, nil) = Forming.decide(own: own, configured: self.configured, answers: answers)
            else {
                Issue.record("node \(own.node) does not form")
                return
            }
            founded.insert(log.bytes)
        }
        #expect(founded.count == 1)
    }

    @Test func `a founder that was late joins the log that names its incarnation`() {
        let founders = [self.own, Member(node: NodeID(2), incarnation: Incarnation(22))]
        let decision = Forming.decide(
            own: self.own, configured: self.configured,
            answers: [NodeID(2): self.answer(2, incarnation: 22, founders: founders)])
        #expect(decision == .form(FoundingLog(members: founders), generation: 0))
    }

    @Test func `a wiped node is refused by the cluster that knew another incarnation`() {
        let founders = [
            Member(node: NodeID(1), incarnation: Incarnation(99)),
            Member(node: NodeID(2), incarnation: Incarnation(22)),
        ]
        let decision = Forming.decide(
            own: self.own, configured: self.configured,
            answers: [NodeID(2): self.answer(2, incarnation: 22, founders: founders)])
        #expect(decision == .refused(by: NodeID(2)))
    }

    @Test func `a node that was added begins with the founders' log`() {
        let founders = [2, 3, 4].map { Member(node: NodeID($0), incarnation: Incarnation(UInt64($0))) }
        var answer = self.answer(2, incarnation: 2, founders: founders)
        let waits = Forming.decide(own: self.own, configured: self.configured, answers: [NodeID(2): answer])
        #expect(waits == .waitToBeAdded)
        answer.members = founders + [self.own]
        let joins = Forming.decide(own: self.own, configured: self.configured, answers: [NodeID(2): answer])
        #expect(joins == .form(FoundingLog(members: founders), generation: 0))
    }

    @Test func `a node that was added to a trimmed log begins with a copy of its first segment`() {
        var answer = self.answer(2, incarnation: 2, founders: [Member(node: NodeID(2), incarnation: Incarnation(2))])
        answer.cluster = ClusterID(high: 1, low: 2)
        answer.founders = []
        answer.members = [self.own]
        let decision = Forming.decide(
            isJoining: true, own: self.own, configured: self.configured, answers: [NodeID(2): answer])
        #expect(decision == .copy(from: NodeID(2), cluster: ClusterID(high: 1, low: 2), generation: 0))
    }

    @Test func `a node that is to join never forms a cluster`() {
        let answers = [NodeID(2): self.answer(2, incarnation: 22), NodeID(3): self.answer(3, incarnation: 33)]
        let decision = Forming.decide(
            isJoining: true, own: self.own, configured: self.configured, answers: answers)
        #expect(decision == .waitToBeAdded)
    }

    @Test func `other incarnations make another cluster`() {
        let other = Member(node: NodeID(1), incarnation: Incarnation(12))
        #expect(FoundingLog(members: [self.own]).cluster != FoundingLog(members: [other]).cluster)
    }

    @Test func `nodes of an earlier generation are not asked which cluster to join`() {
        let founders = [self.own, Member(node: NodeID(2), incarnation: Incarnation(22))]
        var older = self.answer(2, incarnation: 22, founders: founders)
        older.generation = 1
        var newer = self.answer(3, incarnation: 33, founders: founders)
        newer.generation = 2
        newer.members = [Member(node: NodeID(3), incarnation: Incarnation(33))]
        let answers = [NodeID(2): older, NodeID(3): newer]
        #expect(
            Forming.decide(own: self.own, configured: self.configured, answers: answers)
                == .form(FoundingLog(members: founders), generation: 2))
        let wiped = Member(node: NodeID(2), incarnation: Incarnation(99))
        #expect(Forming.decide(own: wiped, configured: self.configured, answers: answers) == .waitToBeAdded)
    }
}
