import LogModel
import RaftCore
import Testing

@Suite struct TermHistoryTests {
    private func start(_ term: UInt64, _ position: Position) -> TermStart {
        TermStart(term: Term(term), firstIndex: .first, position: position)
    }

    private func point(_ term: UInt64, _ position: Position) -> LogPoint {
        LogPoint(term: Term(term), position: position)
    }

    private var history: TermHistory {
        TermHistory(
            starts: [self.start(0, Position(0, 64)), self.start(1, Position(0, 164)), self.start(4, Position(2, 300))],
            tail: self.point(4, Position(3, 500)), countMax: 64)
    }

    @Test func `a frame belongs to the last term that begins before its end`() {
        #expect(self.history.term(ofFrameEndingAt: Position(0, 64)) == nil)
        #expect(self.history.term(ofFrameEndingAt: Position(0, 164)) == Term(0))
        #expect(self.history.term(ofFrameEndingAt: Position(0, 165)) == Term(1))
        #expect(self.history.term(ofFrameEndingAt: Position(2, 300)) == Term(1))
        #expect(self.history.term(ofFrameEndingAt: Position(2, 301)) == Term(4))
        #expect(self.history.term(ofFrameEndingAt: Position(3, 500)) == Term(4))
        #expect(self.history.term(ofFrameEndingAt: Position(3, 501)) == nil)
    }

    @Test func `terms that were let go come back with a truncation`() {
        var short = TermHistory(
            starts: [self.start(0, Position(0, 64)), self.start(1, Position(0, 164)), self.start(4, Position(2, 300))],
            tail: self.point(4, Position(3, 500)), countMax: 1)
        #expect(!short.contains(self.point(1, Position(1, 100))))
        let before = [self.start(0, Position(0, 64)), self.start(1, Position(0, 164))]
        short.truncate(to: self.point(1, Position(1, 100)), terms: before)
        #expect(short.tail == self.point(1, Position(1, 100)))
        #expect(short.contains(short.tail))
    }

    @Test func `truncation takes terms along whose frames all go`() {
        var history = self.history
        history.truncate(to: self.point(1, Position(2, 300)))
        #expect(history.starts.map(\.term) == [Term(0), Term(1)])
        #expect(history.tail == self.point(1, Position(2, 300)))
        #expect(!history.contains(self.point(4, Position(2, 400))))
        history.append([self.start(5, Position(2, 300))], through: self.point(5, Position(2, 400)))
        #expect(history.contains(self.point(5, Position(2, 400))))
        #expect(!history.contains(self.point(4, Position(2, 400))))
    }

    @Test func `terms already known may be named again`() {
        var history = self.history
        history.append(history.starts + [self.start(6, Position(3, 500))], through: self.point(6, Position(3, 600)))
        #expect(history.starts.map(\.term) == [Term(0), Term(1), Term(4), Term(6)])
    }

    @Test func `only the last terms are remembered`() {
        var history = TermHistory(starts: [], tail: .zero, countMax: 3)
        for term in 1...5 as ClosedRange<UInt32> {
            history.append(
                [self.start(UInt64(term), Position(0, term * 100))],
                through: self.point(UInt64(term), Position(0, term * 100 + 100)))
        }
        #expect(history.starts.map(\.term) == [Term(3), Term(4), Term(5)])
        #expect(history.term(ofFrameEndingAt: Position(0, 200)) == nil)
        #expect(history.term(ofFrameEndingAt: Position(0, 400)) == Term(3))
    }
}
