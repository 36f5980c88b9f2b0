import LogModel
import LogState
import RaftCore
import ReplicaCore
import ReplicaTestSupport
import SegmentFormat
import Testing

struct ConditionTests {
    private let cluster: ReplicaCluster
    private let leader: Int
    private let jobs: CursorName

    init() throws {
        self.cluster = try ReplicaCluster(count: 3)
        self.cluster.pass(milliseconds: 2_000)
        self.leader = try #require(self.cluster.leader)
        self.jobs = try #require(CursorName("jobs"))
    }

    private func key(_ number: UInt64) -> AppendLabel { .key(IdempotencyKey(high: number, low: 0)) }

    /// Cuts the leader off and lets time pass until another one leads.
    private func change(of leader: Int) throws -> Int {
        self.cluster.cut(leader)
        self.cluster.pass(milliseconds: 2_000)
        return try #require(self.cluster.leader)
    }

    /// Nobody but the leader itself has what is placed from here on.
    private func isolate() {
        for other in 0..<3 where other != self.leader { self.cluster.cut(other) }
    }

    // MARK: Idempotency keys

    @Test func `a key appends once, also under the next leader, and also when its conditions no longer hold`() throws {
        let conditions = AppendConditions(expectedNext: .first, fencingToken: 1)
        try self.cluster.propose("one", id: 1, label: self.key(7), if: conditions, at: self.leader)
        try self.cluster.propose("one", id: 2, label: self.key(7), if: conditions, at: self.leader)
        self.cluster.propose(Submission(.raiseFence(to: 5)), id: 9, at: self.leader)
        self.cluster.pass(milliseconds: 50)
        let next = try self.change(of: self.leader)
        try self.cluster.propose("one", id: 3, label: self.key(7), if: conditions, at: next)
        try self.cluster.propose("two", id: 4, label: self.key(8), at: next)
        let first = try #require(try self.cluster.answers[1]?.get())
        #expect(first.first == .first && !first.isDuplicate)
        for id in [UInt64(2), 3] {
            let again = try #require(try self.cluster.answers[id]?.get())
            #expect(again.first == first.first && again.position == first.position && again.isDuplicate)
        }
        #expect(try self.cluster.answers[4]?.get().first == LogIndex(2))
    }

    @Test func `a repetition of what is not committed shares its fate`() throws {
        self.isolate()
        try self.cluster.propose("one", id: 1, label: self.key(7), at: self.leader)
        try self.cluster.propose("one", id: 2, label: self.key(7), at: self.leader)
        #expect(self.cluster.answers[2] == nil)
        self.cluster.pass(milliseconds: 2_000)
        #expect(self.cluster.answers[1] == .failure(.leadershipLost))
        #expect(self.cluster.answers[2] == .failure(.leadershipLost))
    }

    // MARK: The expected index

    @Test func `an append stands where it was expected to, or is refused with the index that comes`() throws {
        try self.cluster.propose("one", id: 1, if: .init(expectedNext: .first), at: self.leader)
        try self.cluster.propose("again", id: 2, if: .init(expectedNext: .first), at: self.leader)
        try self.cluster.propose("early", id: 3, if: .init(expectedNext: LogIndex(9)), at: self.leader)
        try self.cluster.propose("two", id: 4, if: .init(expectedNext: LogIndex(2)), at: self.leader)
        self.cluster.pass(milliseconds: 50)
        #expect(try self.cluster.answers[1]?.get().first == .first)
        #expect(self.cluster.answers[2] == .failure(.conditionFailed(next: LogIndex(2))))
        #expect(self.cluster.answers[3] == .failure(.conditionFailed(next: LogIndex(2))))
        #expect(try self.cluster.answers[4]?.get().first == LogIndex(2))
    }

    @Test func `a refusal that rests on what is not committed is not given`() throws {
        self.isolate()
        try self.cluster.propose("lost", id: 1, at: self.leader)
        try self.cluster.propose("mine", id: 2, if: .init(expectedNext: .first), at: self.leader)
        #expect(self.cluster.answers[2] == nil)
        for other in 0..<3 where other != self.leader { self.cluster.mend(other) }
        self.cluster.pass(milliseconds: 1_000)
        #expect(try self.cluster.answers[1]?.get().first == .first)
        #expect(self.cluster.answers[2] == .failure(.conditionFailed(next: LogIndex(2))))
    }

    @Test func `a leader that was replaced refuses nothing in the name of a log that it lacks`() throws {
        let old = self.leader
        let next = try self.change(of: old)
        // It does not know yet that somebody else leads, and that the log has gone on.
        try self.cluster.propose("new", id: 1, at: next)
        try self.cluster.propose("mine", id: 2, if: .init(expectedNext: LogIndex(2)), at: old)
        self.cluster.mend(old)
        self.cluster.pass(milliseconds: 1_000)
        guard case .failure(.notLeader) = self.cluster.answers[2] else {
            Issue.record("got \(String(describing: self.cluster.answers[2]))")
            return
        }
    }

    // MARK: Fencing

    @Test func `a higher token raises the log's, and a lower one is refused from then on`() throws {
        try self.cluster.propose("one", id: 1, if: .init(fencingToken: 4), at: self.leader)
        try self.cluster.propose("two", id: 2, if: .init(fencingToken: 4), at: self.leader)
        try self.cluster.propose("old", id: 3, if: .init(fencingToken: 3), at: self.leader)
        try self.cluster.propose("free", id: 4, at: self.leader)
        self.cluster.pass(milliseconds: 50)
        let next = try self.change(of: self.leader)
        try self.cluster.propose("old", id: 5, if: .init(fencingToken: 3), at: next)
        try self.cluster.propose("three", id: 6, if: .init(fencingToken: 5), at: next)
        self.cluster.pass(milliseconds: 50)
        #expect(try self.cluster.answers[2]?.get().first == LogIndex(2))
        #expect(self.cluster.answers[3] == .failure(.fenced(token: 4)))
        #expect(try self.cluster.answers[4]?.get().first == LogIndex(3))
        #expect(self.cluster.answers[5] == .failure(.fenced(token: 4)))
        #expect(try self.cluster.answers[6]?.get().first == LogIndex(4))
        #expect(self.cluster.nodes[next].core.history.current.fencingToken == 5)
    }

    @Test func `an append that is refused for its index raises no fence`() throws {
        try self.cluster.propose("one", id: 1, if: .init(expectedNext: LogIndex(5), fencingToken: 9), at: self.leader)
        self.cluster.pass(milliseconds: 50)
        #expect(self.cluster.answers[1] == .failure(.conditionFailed(next: .first)))
        #expect(self.cluster.nodes[self.leader].core.history.current.fencingToken == 0)
    }

    @Test func `a fence is raised alone, once`() throws {
        self.cluster.propose(Submission(.raiseFence(to: 4)), id: 1, at: self.leader)
        self.cluster.pass(milliseconds: 50)
        let tail = self.cluster.nodes[self.leader].core.chain.tail
        self.cluster.propose(Submission(.raiseFence(to: 4)), id: 2, at: self.leader)
        self.cluster.propose(Submission(.raiseFence(to: 3)), id: 3, at: self.leader)
        self.cluster.pass(milliseconds: 50)
        #expect(try self.cluster.answers[1]?.get().isDuplicate == false)
        #expect(try self.cluster.answers[2]?.get().isDuplicate == true)
        #expect(self.cluster.answers[3] == .failure(.fenced(token: 4)))
        #expect(self.cluster.nodes[self.leader].core.chain.tail == tail)
    }

    // MARK: Cursors

    @Test func `cursors are kept by every node, and show once they are committed`() throws {
        let cursor = Cursor(index: LogIndex(7), holdsTrims: true)
        self.cluster.propose(Submission(.setCursor(self.jobs, cursor)), id: 1, at: self.leader)
        self.cluster.pass(milliseconds: 50)
        #expect(try self.cluster.answers[1]?.get() != nil)
        for node in self.cluster.nodes {
            #expect(node.core.committedCursors[self.jobs] == cursor)
            #expect(node.core.history.current.heldIndex == LogIndex(7))
        }
        self.isolate()
        self.cluster.propose(Submission(.deleteCursor(self.jobs)), id: 2, at: self.leader)
        #expect(self.cluster.nodes[self.leader].core.history.current.cursors[self.jobs] == nil)
        #expect(self.cluster.nodes[self.leader].core.committedCursors[self.jobs] == cursor)
    }

    @Test func `what is not there cannot be deleted, and a full table takes no more`() throws {
        self.cluster.propose(Submission(.deleteCursor(self.jobs)), id: 1, at: self.leader)
        for number in 0..<LogStateLimits.cursorsMax {
            let name = try #require(CursorName("c\(number)"))
            self.cluster.propose(
                Submission(.setCursor(name, Cursor(index: .first))), id: 10 + UInt64(number), at: self.leader)
        }
        self.cluster.propose(Submission(.setCursor(self.jobs, Cursor(index: .first))), id: 2, at: self.leader)
        self.cluster.pass(milliseconds: 50)
        #expect(self.cluster.answers[1] == .failure(.noSuchCursor))
        #expect(self.cluster.answers[2] == .failure(.tooManyCursors))
    }
}
