import LogModel
import Testing

@testable import HoldfastClient

/// What a reader of a log that is trimmed has seen.
@Suite struct ReadLedgerTests {
    private static func record(_ index: UInt64, _ value: String? = nil) -> IndexedRecord {
        IndexedRecord(
            index: LogIndex(index), position: .zero, term: Term(1), timestamp: .zero,
            record: Record(value ?? "value \(index)"))
    }

    private static func ledger(_ indexes: ClosedRange<UInt64>, from first: UInt64 = 1) -> ReadLedger {
        var ledger = ReadLedger(from: LogIndex(first))
        for index in indexes { ledger.see(Self.record(index)) }
        return ledger
    }

    @Test func `who reads the same is the same, whenever what was before was forgotten`() {
        var ahead = Self.ledger(1...100)
        ahead.forget(before: LogIndex(60))
        let late = Self.ledger(60...100, from: 60)
        #expect(ahead.digest == late.digest && ahead.count == 41 && late.count == 41)
        var other = Self.ledger(60...99, from: 60)
        other.see(Self.record(100, "another"))
        #expect(other.digest != late.digest && other.count == late.count)
    }

    @Test func `a reader that lags behind a trim is not short of anything`() {
        var lagging = Self.ledger(1...40)
        lagging.forget(before: LogIndex(60))
        #expect(lagging.count == 0 && lagging.next == LogIndex(41))
        // What it still gets to read is in order, and counts no more.
        for index in UInt64(41)...100 { lagging.see(Self.record(index)) }
        let keeping = Self.ledger(60...100, from: 60)
        #expect(lagging.outOfTurn == 0 && lagging.count == keeping.count && lagging.digest == keeping.digest)
        // Nor when it is told of the trim in the middle of that.
        var told = Self.ledger(1...40)
        told.forget(before: LogIndex(60))
        told.skip(to: LogIndex(50))
        for index in UInt64(50)...100 { told.see(Self.record(index)) }
        #expect(told.outOfTurn == 0 && told.trimCount == 1)
        #expect(told.count == keeping.count && told.digest == keeping.digest && told.first == LogIndex(60))
    }

    @Test func `what is left out, comes twice, or was never gone is out of turn`() {
        var ledger = Self.ledger(1...10)
        ledger.see(Self.record(12))
        #expect(ledger.outOfTurn == 1)
        ledger.see(Self.record(12))
        #expect(ledger.outOfTurn == 2)
        ledger.skip(to: LogIndex(13))
        #expect(ledger.outOfTurn == 3, "it stood there already")
        ledger.skip(to: LogIndex(20))
        #expect(ledger.outOfTurn == 3 && ledger.count == 0 && ledger.next == LogIndex(20))
    }

    @Test func `forgetting never goes back`() {
        var ledger = Self.ledger(1...10)
        ledger.forget(before: LogIndex(5))
        ledger.forget(before: LogIndex(3))
        #expect(ledger.first == LogIndex(5) && ledger.count == 6)
    }
}
