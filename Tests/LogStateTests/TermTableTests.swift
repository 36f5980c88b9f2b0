import LogModel
import LogState
import Testing

struct TermTableTests {
    private func table(_ count: UInt64) -> TermTable {
        var table = TermTable()
        for term in 0..<count {
            table.append(term: Term(term * 2), firstIndex: LogIndex(1), position: Position(0, 64 + UInt32(term) * 100))
        }
        return table
    }

    @Test func `only the first frame of a term is entered`() {
        var table = self.table(2)
        table.append(term: Term(2), firstIndex: LogIndex(9), position: Position(5, 64))
        #expect(table == self.table(2))
    }

    @Test func `the term of a frame is that of the last start before its end`() {
        let table = self.table(3)
        #expect(table.term(ofFrameEndingAt: Position(0, 64)) == nil)
        #expect(table.term(ofFrameEndingAt: Position(0, 65)) == Term(0))
        #expect(table.term(ofFrameEndingAt: Position(0, 164)) == Term(0))
        #expect(table.term(ofFrameEndingAt: Position(0, 165)) == Term(2))
        #expect(table.term(ofFrameEndingAt: Position(0, 264)) == Term(2))
        #expect(table.term(ofFrameEndingAt: Position(7, 64)) == Term(4))
    }

    @Test func `the last 64 terms are kept`() {
        let table = self.table(100)
        #expect(table.starts.count == 64)
        #expect(table.starts.first?.term == Term(72))
        #expect(table.starts.last?.term == Term(198))
        #expect(table.term(ofFrameEndingAt: Position(0, 200)) == nil)
    }

    @Test func `truncation forgets terms that began there or later`() {
        var table = self.table(3)
        table.truncate(from: Position(0, 164))
        #expect(table == self.table(1))
        table.truncate(from: Position(0, 65))
        #expect(table == self.table(1))
        table.truncate(from: Position(0, 64))
        #expect(table.starts.isEmpty)
    }
}
