import LogModel
import RaftCore
import Testing
import WireFormat

/// What transcripts do not show well: who is ignored, and which points vouch for nothing.
@Suite struct RaftCoreTests {
    private let me = testMember(1)
    private let other = testMember(2)
    /// Node 2 after it was wiped.
    private let stranger = Member(node: NodeID(2), incarnation: Incarnation(7))

    private func core(rule: CommitRule = .persisted, limits: RaftLimits = RaftLimits()) -> RaftCore {
        RaftCore(
            configuration: RaftConfiguration(member: self.me, commitRule: rule, limits: limits),
            recovered: RaftRecovered(
                hardState: HardState(term: Term(3), vote: nil), membership: testMembership(3),
                terms: [
                    TermStart(term: .zero, firstIndex: .first, position: Position(0, 64)),
                    TermStart(term: Term(3), firstIndex: .first, position: Position(0, 164)),
                ],
                tail: self.point(3, 300), commit: Position(0, 164)),
            now: .zero, randomSeed: 1)
    }

    private func point(_ term: UInt64, _ offset: UInt32) -> LogPoint {
        LogPoint(term: Term(term), position: Position(0, offset))
    }

    private func request(_ term: UInt64, from candidate: Member, last: LogPoint) -> RaftMessage {
        .voteRequest(VoteRequest(term: Term(term), candidate: candidate, last: last, isPreVote: false))
    }

    /// Elected in term 4, the term start at 0:300 to 0:400.
    private func leader(rule: CommitRule = .persisted, limits: RaftLimits = RaftLimits()) -> RaftCore {
        var core = self.core(rule: rule, limits: limits)
        let yes = { (isPreVote: Bool) in
            RaftInput.received(
                .voteReply(VoteReply(term: Term(4), voter: self.other, isGranted: true, isPreVote: isPreVote)),
                from: self.other)
        }
        _ = core.step(.ticked, now: milliseconds(600))
        _ = core.step(yes(true), now: milliseconds(600))
        _ = core.step(.votePersisted(HardState(term: Term(4), vote: self.me)), now: milliseconds(600))
        let effects = core.step(yes(false), now: milliseconds(600))
        #expect(effects.first == .becameLeader(Term(4)))
        let start = TermStart(term: Term(4), firstIndex: .first, position: Position(0, 300))
        _ = core.step(.appended(through: self.point(4, 400), newTerm: start), now: milliseconds(600))
        return core
    }

    /// This node's membership may be an older one; what the vote is worth is for the candidate to know.
    @Test func `whoever asks gets the vote for a log that is no shorter, member or not`() {
        for (last, isGranted) in [(self.point(3, 299), false), (self.point(8, 900), true)] {
            var core = self.core()
            let message = self.request(9, from: self.stranger, last: last)
            let effects = core.step(.received(message, from: self.stranger), now: .zero)
            #expect(effects.first == .persistVote(HardState(term: Term(9), vote: isGranted ? self.stranger : nil)))
            #expect(core.term == Term(9))
        }
    }

    @Test func `a leader is followed before the membership names it`() {
        var core = self.core()
        #expect(!core.step(.leaderSpoke(term: Term(9), leader: testMember(7)), now: .zero).isEmpty)
        #expect(core.leader == NodeID(7))
    }

    @Test func `another incarnation's vote and acknowledgement are not counted`() {
        var core = self.core()
        _ = core.step(.ticked, now: milliseconds(600))
        let yes = VoteReply(term: Term(4), voter: self.stranger, isGranted: true, isPreVote: true)
        #expect(core.step(.received(.voteReply(yes), from: self.stranger), now: milliseconds(600)).isEmpty)
        #expect(core.role == .preCandidate)
        var leader = self.leader()
        _ = leader.step(.persisted(through: self.point(4, 400)), now: milliseconds(600))
        let ack = RaftInput.acknowledged(
            by: self.stranger, received: self.point(4, 400), persisted: self.point(4, 400))
        #expect(leader.step(ack, now: milliseconds(600)).isEmpty)
        let round = HeartbeatReply(
            term: Term(9), follower: self.stranger, readRound: 0, clock: .zero, unreadable: .zero)
        #expect(leader.step(.received(.heartbeatReply(round), from: self.stranger), now: milliseconds(600)).isEmpty)
        #expect(leader.role == .leader)
    }

    @Test func `a message that names another sender is ignored`() {
        var core = self.core()
        let message = self.request(9, from: self.other, last: self.point(8, 900))
        #expect(core.step(.received(message, from: testMember(3)), now: .zero).isEmpty)
    }

    @Test func `a second leader of one term is not followed`() {
        var core = self.core()
        _ = core.step(.leaderSpoke(term: Term(3), leader: self.other), now: .zero)
        #expect(core.step(.leaderSpoke(term: Term(3), leader: testMember(3)), now: .zero).isEmpty)
        #expect(core.leader == NodeID(2))
    }

    @Test func `a shorter log of the same term gets no vote, an equal one does`() {
        for (offset, isGranted) in [(299 as UInt32, false), (300, true)] {
            var core = self.core()
            let message = self.request(4, from: self.other, last: self.point(3, offset))
            #expect(core.step(.received(message, from: self.other), now: .zero).first?.vote == (isGranted ? 2 : 0))
        }
    }

    @Test func `points of a replaced log vouch for nothing`() {
        var leader = self.leader()
        let now = milliseconds(600)
        #expect(leader.step(.persisted(through: self.point(3, 400)), now: now).isEmpty)
        #expect(leader.persisted == self.point(3, 300))
        let stale = RaftInput.acknowledged(
            by: self.other, received: self.point(3, 400), persisted: self.point(5, 400))
        #expect(leader.step(stale, now: now).isEmpty)
        #expect(leader.matched(self.other)?.received == .zero)
        let beyond = RaftInput.acknowledged(
            by: self.other, received: self.point(4, 500), persisted: self.point(3, 300))
        #expect(leader.step(beyond, now: now).isEmpty)
        #expect(leader.matched(self.other)?.persisted == self.point(3, 300))
        #expect(leader.matched(self.other)?.received == self.point(3, 300))
    }

    @Test func `the rule decides whether received or persisted counts`() {
        let now = milliseconds(600)
        let received = RaftInput.acknowledged(
            by: self.other, received: self.point(4, 400), persisted: self.point(3, 300))
        var fast = self.leader(rule: .received)
        // What this node has not even written counts under neither rule; under `received` its shell says so by the
        // same input.
        #expect(fast.step(received, now: now).isEmpty)
        #expect(
            fast.step(.persisted(through: self.point(4, 400)), now: now) == [.committed(through: Position(0, 400))])
        var sure = self.leader()
        #expect(sure.step(received, now: now).isEmpty)
        // The own sync counts like any other, and need not be the first.
        let persisted = RaftInput.acknowledged(
            by: self.other, received: self.point(4, 400), persisted: self.point(4, 400))
        #expect(sure.step(persisted, now: now).isEmpty)
        #expect(
            sure.step(.persisted(through: self.point(4, 400)), now: now) == [.committed(through: Position(0, 400))])
    }

    @Test func `a follower commits no further than its stream has confirmed`() {
        var core = self.core()
        _ = core.step(.leaderSpoke(term: Term(3), leader: self.other), now: .zero)
        let heartbeat = Heartbeat(
            term: Term(3), leader: self.other, commit: Position(0, 900), readRound: 0, clock: .zero)
        _ = core.step(.received(.heartbeat(heartbeat), from: self.other), now: .zero)
        #expect(core.commit == Position(0, 164))
        let accepted = RaftInput.accepted(through: self.point(3, 300), newTerms: [], leaderCommit: .zero)
        #expect(core.step(accepted, now: .zero) == [.committed(through: Position(0, 300))])
    }

    @Test func `reads over the limit are refused`() {
        var limits = RaftLimits()
        limits.pendingReadCountMax = 2
        var leader = self.leader(limits: limits)
        for id in 1...2 as ClosedRange<UInt64> {
            #expect(leader.step(.readAsked(id: id), now: milliseconds(600)).isEmpty)
        }
        #expect(leader.step(.readAsked(id: 3), now: milliseconds(600)) == [.readRefused(id: 3)])
    }

    @Test func `a frame of a later term moves the term at the start`() {
        let core = RaftCore(
            configuration: RaftConfiguration(member: self.me),
            recovered: RaftRecovered(
                hardState: HardState(term: Term(2), vote: self.other), membership: testMembership(3),
                terms: [TermStart(term: Term(3), firstIndex: .first, position: Position(0, 64))],
                tail: self.point(3, 300), commit: .zero),
            now: .zero, randomSeed: 1)
        #expect(core.hardState == HardState(term: Term(3), vote: nil))
        let isPending = core.isVotePersistPending
        #expect(isPending)
    }

    @Test func `the deadline is never missed nor early`() {
        var core = self.core()
        let deadline = core.nextDeadline
        #expect(deadline >= milliseconds(300) && deadline < milliseconds(600))
        #expect(core.step(.ticked, now: MonotonicTime(nanoseconds: deadline.nanoseconds - 1)).isEmpty)
        #expect(core.step(.ticked, now: deadline).count == 2)
        #expect(core.role == .preCandidate)
        #expect(self.leader().nextDeadline == milliseconds(650))
    }
}

extension RaftEffect {
    /// Whom a persisted vote is for; 0 when for nobody.
    fileprivate var vote: UInt32? {
        if case .persistVote(let state) = self { state.vote?.node.rawValue ?? 0 } else { nil }
    }
}
