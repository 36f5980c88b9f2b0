import LogModel
import Testing

@testable import HoldfastClient

struct AppendLedgerTests {
    /// Two producers: one was told of four appends (acknowledged, refused, unknown, acknowledged), one of two.
    private static func ledger() -> AppendLedger {
        var ledger = AppendLedger(producers: 2, run: 0xABC)
        ledger.acknowledged(0, 1)
        ledger.refused(0, 2)
        ledger.unknown(0, 3)
        ledger.acknowledged(0, 4)
        for sequence in 1...2 { ledger.acknowledged(1, sequence) }
        return ledger
    }

    /// What reading these appends, in this order, finds.
    private static func findings(_ log: [(producer: Int, sequence: Int)]) -> AppendLedger.Findings {
        var ledger = self.ledger()
        for (producer, sequence) in log {
            ledger.read(Bytes((ledger.label(producer, sequence) + "padding").utf8))
        }
        return ledger.result
    }

    private static let whole = [(0, 1), (1, 1), (0, 4), (1, 2)]

    @Test func `A log with all that was acknowledged, in order, is good, with unknown ones and without`() {
        #expect(Self.findings(Self.whole) == AppendLedger.Findings())
        var expected = AppendLedger.Findings()
        expected.unknownInLog = 1
        for log in [[(0, 1), (0, 3), (0, 4), (1, 1), (1, 2)], [(0, 1), (0, 4), (0, 3), (1, 1), (1, 2)]] {
            let findings = Self.findings(log)
            #expect(findings == expected && findings.isGood)
        }
    }

    @Test func `What is missing is lost: in the middle, at the end, and all of a producer`() {
        #expect(Self.findings([(0, 4), (1, 1), (1, 2)]).lost == 1)
        #expect(Self.findings([(0, 1), (0, 4), (1, 1)]).lost == 1)
        #expect(Self.findings([(1, 1), (1, 2)]).lost == 2)
        #expect(Self.findings([]).lost == 4)
    }

    @Test func `What comes twice is duplicated, also when it was acknowledged once or nobody knows`() {
        #expect(Self.findings(Self.whole + [(0, 1)]).duplicated == 1)
        let findings = Self.findings([(0, 1), (0, 3), (0, 3), (0, 4), (1, 1), (1, 2)])
        #expect(findings.duplicated == 1 && findings.unknownInLog == 1 && findings.lost == 0)
    }

    @Test func `What comes after a later one is out of order and not lost`() {
        let findings = Self.findings([(0, 4), (0, 1), (1, 2), (1, 1)])
        #expect(findings.reordered == 2 && findings.lost == 0 && findings.duplicated == 0 && !findings.isGood)
    }

    @Test func `What was refused must not be there`() {
        let findings = Self.findings([(0, 1), (0, 2), (0, 4), (1, 1), (1, 2)])
        #expect(findings.contradicted == 1 && !findings.isGood)
    }

    @Test func `Records of other writers are passed over, however much they look alike`() {
        var ledger = Self.ledger()
        let others = [
            "", "abc", "abc-", "abc-0", "abc-9-1 ", "abc-0-0 ", "abc-0-9 ", "abcd-0-1 ", "bc-0-1 ", "abc-x-1 ",
        ]
        for other in others { ledger.read(Bytes(other.utf8)) }
        for (producer, sequence) in Self.whole { ledger.read(Bytes(ledger.label(producer, sequence).utf8)) }
        #expect(ledger.result == AppendLedger.Findings())
    }

    /// One producer: acknowledged at 1, 2, 5 and 6, unknown third, refused fourth, then trimmed before `first`.
    private static func findings(
        trimmedBefore first: UInt64, _ log: [Int], late: (sequence: Int, index: UInt64)? = nil
    ) -> AppendLedger.Findings {
        var ledger = AppendLedger(producers: 1, run: 0xABC, followsTrims: true)
        ledger.acknowledged(0, 1, at: LogIndex(1))
        ledger.acknowledged(0, 2, at: LogIndex(2))
        ledger.unknown(0, 3)
        ledger.refused(0, 4)
        ledger.acknowledged(0, 5, at: LogIndex(5))
        if late == nil { ledger.acknowledged(0, 6, at: LogIndex(6)) }
        ledger.trimmed(before: LogIndex(first))
        if let late { ledger.acknowledged(0, late.sequence, at: LogIndex(late.index)) }
        for sequence in log { ledger.read(Bytes(ledger.label(0, sequence).utf8)) }
        return ledger.result
    }

    @Test func `What was trimmed is not lost, and all behind it must be there`() {
        for (first, log) in [(UInt64(1), [1, 2, 5, 6]), (2, [2, 5, 6]), (3, [5, 6]), (6, [6]), (7, [])] {
            #expect(Self.findings(trimmedBefore: first, log) == AppendLedger.Findings(), "before \(first)")
        }
        #expect(Self.findings(trimmedBefore: 2, [5, 6]).lost == 1)
        #expect(Self.findings(trimmedBefore: 3, [6]).lost == 1)
        #expect(Self.findings(trimmedBefore: 6, []).lost == 1)
    }

    @Test func `What was trimmed must not come again, but what nobody could tell of may come late`() {
        #expect(Self.findings(trimmedBefore: 3, [2, 5, 6]).duplicated == 1)
        var expected = AppendLedger.Findings()
        expected.unknownInLog = 1
        #expect(Self.findings(trimmedBefore: 6, [3, 6]) == expected)
        #expect(Self.findings(trimmedBefore: 6, [4, 6]).contradicted == 1)
    }

    @Test func `What is acknowledged only after it was trimmed is not lost either`() {
        #expect(Self.findings(trimmedBefore: 7, [], late: (6, 6)) == AppendLedger.Findings())
        #expect(Self.findings(trimmedBefore: 7, [], late: (6, 8)).lost == 1)
    }

    @Test func `The longest label is as long as it is said to be`() {
        let ledger = AppendLedger(producers: 10_000, run: .max)
        #expect(ledger.label(9_999, 999_999_999_999).utf8.count == AppendLedger.labelByteCountMax)
    }
}
