import LogModel
import RaftCore
import ReplicaCore
import Testing

struct PendingAppendsTests {
    private func time(_ milliseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }
    private func end(_ offset: UInt32) -> Position { Position(0, offset) }
    private func vouchers(_ offsets: UInt32...) -> Vouchers { Vouchers(offsets.map { self.end($0) }) }

    private func pending(_ id: UInt64, end: UInt32, allUntil: UInt64? = nil) -> PendingAppends.Pending {
        PendingAppends.Pending(
            id: id, end: self.end(end), deadline: self.time(1_000),
            outcome: AppendOutcome(
                first: LogIndex(id), last: LogIndex(id), position: self.end(end - 10), term: Term(1),
                durability: .persisted, isDuplicate: false),
            allDeadline: allUntil.map { self.time($0) })
    }

    private func filled(allUntil: UInt64? = nil) -> PendingAppends {
        var appends = PendingAppends()
        for id in UInt64(1)...3 { appends.append(self.pending(id, end: UInt32(id) * 100, allUntil: allUntil)) }
        return appends
    }

    @Test func `whatever the commit covers says by how many of how many, each for itself`() {
        var appends = self.filled()
        let done = appends.committed(through: self.end(200), vouchers: self.vouchers(100, 300, 200))
        #expect(done.map(\.id) == [1, 2])
        #expect(done.map(\.outcome.nodes) == [3, 2])
        #expect(done.map(\.outcome.voters) == [3, 3])
        #expect(appends.count == 1)
    }

    @Test func `who waits for all is answered when the last voter vouches`() throws {
        var appends = self.filled(allUntil: 500)
        let done = appends.committed(through: self.end(300), vouchers: self.vouchers(300, 300, 100))
        #expect(done.map(\.id) == [1])
        #expect(appends.count == 2 && appends.isAnybodyWaitingForAll)
        #expect(appends.decided(by: self.vouchers(300, 300, 199), at: self.time(499)).isEmpty)
        let next = appends.decided(by: self.vouchers(300, 300, 200), at: self.time(499))
        #expect(next.map(\.id) == [2])
        #expect(try next.first?.answer.get().nodes == 3)
    }

    @Test func `the time for all being up is not a lost append`() {
        var appends = self.filled(allUntil: 500)
        _ = appends.committed(through: self.end(300), vouchers: self.vouchers(300, 300, 100))
        let late = appends.decided(by: self.vouchers(300, 300, 100), at: self.time(500))
        #expect(late.map(\.id) == [2, 3])
        for answer in late.map(\.answer) {
            guard case .failure(.notByAll(let outcome)) = answer else {
                Issue.record("\(answer)")
                continue
            }
            #expect(outcome.nodes == 2 && outcome.voters == 3)
        }
        #expect(appends.count == 0)
    }

    @Test func `a deposed leader knows nothing of what is placed, and that what is committed stays`() {
        var appends = self.filled(allUntil: 500)
        _ = appends.committed(through: self.end(200), vouchers: self.vouchers(300, 200, 100))
        let ended = appends.removeAll()
        #expect(ended.map(\.id) == [3, 2])
        #expect(ended[0].answer == .failure(.leadershipLost))
        guard case .failure(.notByAll) = ended[1].answer else {
            Issue.record("\(ended[1].answer)")
            return
        }
        #expect(appends.count == 0)
    }
}
