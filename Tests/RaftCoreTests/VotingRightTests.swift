import LogModel
import RaftCore
import Testing
import WireFormat

/// Nodes that lost a part of their log, or cannot read it.
@Suite struct VotingRightTests {
    private let me = testMember(1)
    private let leader = testMember(2)
    private let third = testMember(3)

    private func point(_ term: UInt64, _ offset: UInt32) -> LogPoint {
        LogPoint(term: Term(term), position: Position(0, offset))
    }

    /// A follower of node 2 in term 4, whose log ends with the founding frame.
    private func follower(
        _ right: VotingRight, vouched: LogPoint? = nil, isRetired: Bool = false
    ) -> RaftCore {
        var core = RaftCore(
            configuration: RaftConfiguration(member: self.me, commitRule: .persisted),
            recovered: RaftRecovered(
                hardState: HardState(term: Term(4), vote: self.leader), membership: testMembership(3),
                terms: [TermStart(term: .zero, firstIndex: .first, position: Position(0, 64))],
                tail: self.point(0, 164), commit: .zero, right: right, vouched: vouched,
                isRetired: isRetired),
            now: .zero, randomSeed: 1)
        _ = core.step(.leaderSpoke(term: Term(4), leader: self.leader), now: .zero)
        return core
    }

    private func accept(through offset: UInt32, commit: UInt32, _ core: inout RaftCore) -> [RaftEffect] {
        let start = TermStart(term: Term(4), firstIndex: .first, position: Position(0, 164))
        let accepted = RaftInput.accepted(
            through: self.point(4, offset), newTerms: [start], leaderCommit: Position(0, commit))
        return core.step(accepted, now: .zero)
            + core.step(.persisted(through: self.point(4, offset)), now: .zero)
    }

    private func asksForVote(_ core: inout RaftCore) -> Bool {
        core.step(.ticked, now: milliseconds(5_000)).contains {
            if case .send(.voteRequest, _) = $0 { true } else { false }
        }
    }

    @Test func `a node with a lost log regains its vote by a commit of the leader's own term that it has persisted`() {
        var core = self.follower(.lostUntilLevel)
        let early = self.accept(through: 264, commit: 164, &core)
        #expect(!early.contains(.regainedVote))
        let mayVoteEarly = core.mayVote
        #expect(!mayVoteEarly)
        let effects = self.accept(through: 364, commit: 264, &core)
        #expect(effects.contains(.regainedVote))
        let (mayVote, asks) = (core.mayVote, self.asksForVote(&core))
        #expect(mayVote && asks)
    }

    @Test func `what a heartbeat says does not give the vote back`() {
        var core = self.follower(.lostUntilLevel)
        _ = self.accept(through: 264, commit: 0, &core)
        let heartbeat = Heartbeat(
            term: Term(4), leader: self.leader, commit: Position(0, 264), readRound: 0, clock: .zero)
        _ = core.step(.received(.heartbeat(heartbeat), from: self.leader), now: .zero)
        let (commit, mayVote, asks) = (core.commit, core.mayVote, self.asksForVote(&core))
        #expect(commit == Position(0, 264) && !mayVote && !asks)
    }

    /// Asks node 1, in a term in which nobody leads.
    private func refusal(of last: LogPoint, by core: inout RaftCore) -> VoteRefusal?? {
        let request = VoteRequest(term: Term(9), candidate: self.third, last: last, isPreVote: false)
        var refusals: [VoteRefusal?] = []
        let effects =
            core.step(.received(.voteRequest(request), from: self.third), now: milliseconds(5_000))
            + core.step(.votePersisted(core.hardState), now: milliseconds(5_000))
        for case .send(.voteReply(let reply), _) in effects { refusals.append(reply.refusal) }
        return refusals.first
    }

    @Test func `a node with a lost log votes for who has all that it may have vouched for, if it knows`() {
        for (last, expected) in [(self.point(4, 463), VoteRefusal.behind), (self.point(4, 464), nil)] {
            var core = self.follower(.lostUntilLevel, vouched: self.point(4, 464))
            let refusal = self.refusal(of: last, by: &core)
            #expect(refusal == .some(expected))
        }
        var core = self.follower(.lostUntilLevel)
        let refusal = self.refusal(of: self.point(8, 900), by: &core)
        #expect(refusal == .some(.mayNotVote))
    }

    @Test func `a node that is retired neither campaigns nor votes, whatever it holds`() {
        var core = self.follower(.held, isRetired: true)
        let accepted = self.accept(through: 364, commit: 364, &core)
        let (mayVote, asks) = (core.mayVote, self.asksForVote(&core))
        #expect(!accepted.contains(.regainedVote) && !mayVote && !asks)
        let refusal = self.refusal(of: self.point(8, 900), by: &core)
        #expect(refusal == .some(.mayNotVote))
    }

    @Test func `what cannot be read matters only while it may not be committed`() {
        var core = self.follower(.held)
        _ = self.accept(through: 364, commit: 264, &core)
        for (end, expected) in [(264, true), (364, false), (0, true)] as [(UInt32, Bool)] {
            _ = core.step(.unreadable(through: Position(0, end)), now: .zero)
            let mayVote = core.mayVote
            #expect(mayVote == expected, "unreadable through \(end)")
        }
        _ = core.step(.unreadable(through: Position(0, 364)), now: .zero)
        _ = self.accept(through: 364, commit: 364, &core)
        let mayVote = core.mayVote
        #expect(mayVote)
    }

    @Test func `a leader that cannot read what is not committed leads no longer`() {
        var core = self.elected()
        let effects = core.step(.unreadable(through: Position(0, 264)), now: milliseconds(600))
        let role = core.role
        #expect(role == .follower)
        #expect(effects.contains(.becameFollower(term: Term(5), leader: nil)))
    }

    @Test func `a follower that lost what it acknowledged is not counted for it`() {
        var core = self.elected()
        _ = core.step(.persisted(through: self.point(5, 264)), now: milliseconds(600))
        let next = self.point(5, 364)
        _ = core.step(.appended(through: next, newTerm: nil), now: milliseconds(600))
        _ = core.step(.acknowledged(by: self.leader, received: next, persisted: next), now: milliseconds(600))
        let short = self.point(0, 164)
        _ = core.step(.returned(self.leader, tail: short, persisted: short), now: milliseconds(600))
        let matched = core.matched(self.leader)
        #expect(matched?.received == short && matched?.persisted == short)
        _ = core.step(.persisted(through: next), now: milliseconds(600))
        let before = core.commit
        #expect(before < next.position)
        _ = core.step(.acknowledged(by: self.leader, received: next, persisted: next), now: milliseconds(600))
        let after = core.commit
        #expect(after == next.position)
    }

    @Test func `a new stream of a follower that lost nothing takes nothing back`() {
        var core = self.elected()
        let start = self.point(5, 264)
        _ = core.step(.acknowledged(by: self.leader, received: start, persisted: start), now: milliseconds(600))
        _ = core.step(
            .returned(self.leader, tail: self.point(4, 900), persisted: start), now: milliseconds(600))
        let matched = core.matched(self.leader)
        #expect(matched?.received == start && matched?.persisted == start)
    }

    /// Leads term 5 with its term start at 0:164 to 0:264.
    private func elected() -> RaftCore {
        var core = RaftCore(
            configuration: RaftConfiguration(member: self.me, commitRule: .persisted),
            recovered: RaftRecovered(
                hardState: HardState(term: Term(4), vote: nil), membership: testMembership(3),
                terms: [TermStart(term: .zero, firstIndex: .first, position: Position(0, 64))],
                tail: self.point(0, 164), commit: .zero),
            now: .zero, randomSeed: 1)
        let at = milliseconds(600)
        _ = core.step(.ticked, now: at)
        for isPreVote in [true, false] {
            let reply = VoteReply(term: Term(5), voter: self.third, isGranted: true, isPreVote: isPreVote)
            _ = core.step(.received(.voteReply(reply), from: self.third), now: at)
            if isPreVote { _ = core.step(.votePersisted(HardState(term: Term(5), vote: self.me)), now: at) }
        }
        precondition(core.role == .leader, "not elected")
        let start = TermStart(term: Term(5), firstIndex: .first, position: Position(0, 164))
        _ = core.step(.appended(through: self.point(5, 264), newTerm: start), now: at)
        return core
    }
}
