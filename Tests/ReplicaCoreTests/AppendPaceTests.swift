import LogModel
import Testing

@testable import ReplicaCore

struct AppendPaceTests {
    private let limits = ReplicaLimits()

    private func at(_ milliseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func `while nobody appends a follower that catches up gets all that its window holds`() {
        var pace = AppendPace()
        #expect(pace.catchUpByteCountMax(self.limits, now: self.at(1_000)) == self.limits.windowByteCountMax)
        pace.placed(100, now: self.at(1_000))
        #expect(pace.catchUpByteCountMax(self.limits, now: self.at(1_200)) == self.limits.windowByteCountMax)
    }

    @Test func `beside small appends it gets one range at a time, for as long as they come`() {
        var pace = AppendPace()
        for milliseconds in stride(from: UInt64(1_000), to: 1_400, by: 20) {
            pace.placed(100, now: self.at(milliseconds))
            #expect(pace.catchUpByteCountMax(self.limits, now: self.at(milliseconds)) == self.limits.rangeByteCountMax)
        }
        #expect(pace.catchUpByteCountMax(self.limits, now: self.at(1_430)) == self.limits.rangeByteCountMax)
    }

    @Test func `beside large appends it gets as much as they are, so that it does not fall back, up to its window`() {
        var pace = AppendPace()
        for milliseconds in UInt64(1_000)..<1_100 { pace.placed(40 << 10, now: self.at(milliseconds)) }
        let some = pace.catchUpByteCountMax(self.limits, now: self.at(1_100))
        #expect(some >= 40 * 50 << 10 && some < self.limits.windowByteCountMax)
        for milliseconds in UInt64(1_100)..<1_200 { pace.placed(1 << 20, now: self.at(milliseconds)) }
        #expect(pace.catchUpByteCountMax(self.limits, now: self.at(1_200)) == self.limits.windowByteCountMax)
    }
}
