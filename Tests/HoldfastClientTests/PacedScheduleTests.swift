import Testing

@testable import HoldfastClient

struct PacedScheduleTests {
    @Test func `Callers take turns, and all appends are due at even distances`() {
        let schedule = PacedSchedule(rate: 4, callers: 3, milliseconds: 2_000)
        #expect(schedule.count == 8)
        let due = (0..<3).flatMap { caller in (0..<4).compactMap { schedule.due($0, of: caller) } }.sorted()
        #expect(due == (0..<8).map { $0 * 250_000_000 })
    }

    @Test func `A caller without a further append has no time for it`() {
        let schedule = PacedSchedule(rate: 1, callers: 2, milliseconds: 3_000)
        #expect(schedule.due(1, of: 0) == 2_000_000_000 && schedule.due(1, of: 1) == nil)
        let crowd = PacedSchedule(rate: 1, callers: 5, milliseconds: 2_000)
        #expect(crowd.due(0, of: 1) == 1_000_000_000 && crowd.due(0, of: 2) == nil)
    }

    @Test func `A day at the highest rate is exact to the nanosecond`() {
        let schedule = PacedSchedule(rate: 999_983, callers: 7, milliseconds: 86_400_000)
        #expect(schedule.count == 999_983 * 86_400)
        let last = schedule.count - 1
        let due = schedule.due(last / 7, of: Int(last % 7))
        #expect(due == 86_399 * 1_000_000_000 + 999_982 * 1_000_000_000 / 999_983)
    }
}
