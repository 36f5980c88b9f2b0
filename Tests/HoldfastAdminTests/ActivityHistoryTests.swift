import LogModel
import Testing

@testable import HoldfastAdmin

@Suite struct ActivityHistoryTests {
    private func sample(_ second: UInt64, records: UInt64, syncNanoseconds: [UInt64] = []) -> ActivitySample {
        var syncs = LatencyHistogram()
        for time in syncNanoseconds { syncs.note(nanoseconds: time) }
        return ActivitySample(
            time: Timestamp(nanoseconds: second * 1_000_000_000),
            monotonic: MonotonicTime(nanoseconds: second * 1_000_000_000),
            appends: records, records: records, bytes: records * 100, syncs: syncs.count,
            appendLatency: LatencyHistogram(), syncLatency: syncs)
    }

    @Test func `rates are over the last five seconds, points over the last minute`() {
        var history = ActivityHistory()
        for second in 0..<100 {
            history.add(self.sample(UInt64(second), records: UInt64(second < 90 ? second : second * 2)))
        }
        let activity = history.activity
        #expect(activity.points.count == 60)
        #expect(activity.seconds == 5)
        #expect(activity.recordsPerSecond == 2)
        #expect(activity.bytesPerSecond == 200)
        #expect(activity.appendSeconds == nil)
        #expect(activity.points.last?.time == 99)
        #expect(activity.points.first?.recordsPerSecond == 1)
    }

    @Test func `sync latency is that of the interval`() throws {
        var history = ActivityHistory()
        history.add(self.sample(0, records: 0, syncNanoseconds: [9_000_000_000]))
        history.add(self.sample(1, records: 0, syncNanoseconds: [9_000_000_000, 1_000_000, 900_000]))
        let syncs = try #require(history.activity.syncSeconds)
        #expect(syncs.p99 <= 0.001)
        #expect(syncs.p50 > 0.0005)
    }

    @Test func `counters that go back begin a new history`() {
        var history = ActivityHistory()
        history.add(self.sample(0, records: 10))
        history.add(self.sample(1, records: 3))
        #expect(history.activity.points.isEmpty)
        #expect(history.activity.seconds == 0)
    }
}
