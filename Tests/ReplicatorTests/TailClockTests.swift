import LogModel
import Testing

@testable import Replicator

@Suite struct TailClockTests {
    private func at(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime.zero.advanced(byMilliseconds: milliseconds)
    }

    @Test func `who is level is not behind, and who is not is behind since the log went on`() {
        var clock = TailClock()
        clock.passed(Position(0, 64), at: self.at(0))
        clock.passed(Position(0, 100), at: self.at(1_000))
        clock.passed(Position(0, 200), at: self.at(3_000))
        let now = self.at(10_000)
        #expect(clock.milliseconds(behind: Position(0, 200), now: now) == 0)
        #expect(clock.milliseconds(behind: Position(0, 100), now: now) == 7_000)
        #expect(clock.milliseconds(behind: Position(0, 64), now: now) == 9_000)
        #expect(clock.milliseconds(behind: .zero, now: now) == 10_000)
    }

    @Test func `marks are bounded, and whoever is behind them all is at least so late`() {
        var clock = TailClock()
        for mark in 1...5_000 as ClosedRange<UInt32> {
            clock.passed(Position(0, mark), at: self.at(UInt64(mark) * 100))
        }
        let late = clock.milliseconds(behind: .zero, now: self.at(500_000))
        #expect(late == 1_023 * 100)
    }

    @Test func `a cut log is not remembered as longer than it is`() {
        var clock = TailClock()
        clock.passed(Position(0, 500), at: self.at(0))
        clock.passed(Position(0, 100), at: self.at(1_000))
        #expect(clock.milliseconds(behind: Position(0, 100), now: self.at(9_000)) == 0)
    }
}
