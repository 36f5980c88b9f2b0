import LogModel
import Testing

@testable import Replicator

@Suite struct RoundTimesTests {
    private func at(_ microseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: microseconds * 1_000) }

    @Test func `a round ends once its end is reached, and not before`() {
        var rounds = RoundTimes()
        rounds.began(toward: Position(0, 200), at: self.at(1_000))
        rounds.reached(Position(0, 199), at: self.at(1_100))
        #expect(rounds.times.count == 0)
        rounds.reached(Position(0, 300), at: self.at(1_400))
        #expect(rounds.times.count == 1)
        #expect(rounds.times.sumNanoseconds == 400_000)
    }

    @Test func `what begins meanwhile is not timed, what begins afterwards is`() {
        var rounds = RoundTimes()
        rounds.began(toward: Position(0, 200), at: self.at(0))
        rounds.began(toward: Position(0, 900), at: self.at(10))
        #expect(!rounds.isIdle)
        rounds.reached(Position(0, 200), at: self.at(50))
        #expect(rounds.isIdle)
        rounds.reached(Position(0, 900), at: self.at(60))
        rounds.began(toward: Position(1, 100), at: self.at(100))
        rounds.reached(Position(1, 100), at: self.at(130))
        #expect(rounds.times.count == 2)
        #expect(rounds.times.sumNanoseconds == 80_000)
    }

    @Test func `a dropped round is not told, and a clock that went back is no time`() {
        var rounds = RoundTimes()
        rounds.began(toward: Position(0, 200), at: self.at(0))
        rounds.dropped()
        rounds.reached(Position(0, 200), at: self.at(50))
        #expect(rounds.times.count == 0)
        rounds.began(toward: Position(0, 300), at: self.at(90))
        rounds.reached(Position(0, 300), at: self.at(80))
        #expect(rounds.times.sumNanoseconds == 0)
    }
}
