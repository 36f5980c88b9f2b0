import LogModel
import Testing

@testable import Replicator

@Suite struct EventLogTests {
    @Test func `events are numbered without gaps, and asked for behind a number`() {
        let log = EventLog()
        #expect(log.lastNumber == 0)
        log.note(.rotated(to: SegmentID(1)))
        log.note(.damageFound(SegmentID(0)))
        #expect(log.events(after: 0).map(\.number) == [1, 2])
        #expect(log.events(after: 1).map(\.kind) == [.damageFound(SegmentID(0))])
        #expect(log.events(after: 2).isEmpty)
    }

    @Test func `the oldest leave, and their numbers with them`() {
        let log = EventLog()
        for segment in 1...UInt32(EventLog.eventCountMax + 5) { log.note(.rotated(to: SegmentID(segment))) }
        let events = log.events(after: 0)
        #expect(events.count == EventLog.eventCountMax)
        #expect(events.first?.number == 6)
        #expect(events.last?.number == log.lastNumber)
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.number + 1 == $1.number })
    }
}
