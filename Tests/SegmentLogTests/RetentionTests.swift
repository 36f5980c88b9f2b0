import DiskIO
import LogModel
import Simulation
import Testing

@testable import SegmentLog

@Suite struct `Retention` {
    private static let second: UInt64 = 1_000_000_000

    private static func segments(_ byteCounts: [Int]) -> [SegmentSummary] {
        byteCounts.enumerated().map {
            SegmentSummary(id: SegmentID(UInt32($0.offset + 4)), firstIndex: .first, byteCount: $0.element)
        }
    }

    /// Segment 4's newest record is from second 4, and so on.
    private static func trim(
        _ policy: RetentionPolicy, _ byteCounts: [Int], durable: UInt32 = 100, seconds: UInt64 = 0
    ) -> (position: Position?, asked: Int) {
        var asked = 0
        let position = policy.trimPosition(
            segments: Self.segments(byteCounts), durable: Position(durable, 64),
            now: Timestamp(nanoseconds: seconds * Self.second)
        ) { id in
            asked += 1
            return Timestamp(nanoseconds: UInt64(id.rawValue) * Self.second)
        }
        return (position, asked)
    }

    @Test func `nothing goes without a limit, below the limit, or when one segment is left`() {
        #expect(Self.trim(.keepsEverything, [10, 10, 10]).position == nil)
        #expect(Self.trim(RetentionPolicy(byteCountMax: 30), [10, 10, 10]).position == nil)
        #expect(Self.trim(RetentionPolicy(byteCountMax: 0), [10]).position == nil)
        #expect(Self.trim(RetentionPolicy(byteCountMax: 0), []).position == nil)
    }

    @Test func `by size the oldest go until the rest fits, the active one never`() {
        #expect(Self.trim(RetentionPolicy(byteCountMax: 29), [10, 10, 10]).position == Position(5, 0))
        #expect(Self.trim(RetentionPolicy(byteCountMax: 11), [10, 10, 10]).position == Position(6, 0))
        #expect(Self.trim(RetentionPolicy(byteCountMax: 0), [10, 10, 10]).position == Position(6, 0))
        #expect(Self.trim(RetentionPolicy(byteCountMax: 0), [10, 10, 10]).asked == 0)
    }

    @Test func `by age those go whose newest record is too old, and no further one is asked`() {
        let policy = RetentionPolicy(ageMax: .seconds(10))
        #expect(Self.trim(policy, [1, 1, 1, 1], seconds: 14).position == nil)
        #expect(Self.trim(policy, [1, 1, 1, 1], seconds: 15).position == Position(5, 0))
        #expect(Self.trim(policy, [1, 1, 1, 1], seconds: 15).asked == 2)
        #expect(Self.trim(policy, [1, 1, 1, 1], seconds: 900).position == Position(7, 0))
        // A clock that was set back.
        #expect(Self.trim(policy, [1, 1, 1, 1], seconds: 0).position == nil)
    }

    @Test func `either limit is enough, and what is not synced stays`() {
        let policy = RetentionPolicy(byteCountMax: 3, ageMax: .seconds(10))
        #expect(Self.trim(policy, [1, 1, 1, 1], seconds: 16).position == Position(6, 0))
        #expect(Self.trim(policy, [1, 1, 1, 1], durable: 5, seconds: 900).position == Position(5, 0))
        #expect(Self.trim(policy, [1, 1, 1, 1], durable: 4, seconds: 900).position == nil)
    }

    @Test func `a segment whose age cannot be read goes with the next one that is too old`() {
        let policy = RetentionPolicy(ageMax: .seconds(10))
        let segments = (0..<4).map { SegmentSummary(id: SegmentID($0), firstIndex: .first, byteCount: 1) }
        let now = Timestamp(nanoseconds: 100_000_000_000)
        func position(readable: Set<UInt32>) -> Position? {
            policy.trimPosition(segments: segments, durable: Position(3, 0), now: now) {
                readable.contains($0.rawValue) ? Timestamp(nanoseconds: 1) : nil
            }
        }
        #expect(position(readable: [0, 2]) == Position(3, 0))
        #expect(position(readable: [0]) == Position(1, 0))
        #expect(position(readable: []) == nil)
    }

    @Test func `the newest time of a segment is that of the checkpoint behind it`() throws {
        let log = try EngineHarness()
        try log.fill(60)
        #expect(try log.store.newestTimestamp(of: .first) == Timestamp(nanoseconds: 1000))
        #expect(throws: LogError.beyondTail(tail: log.tail)) {
            try log.store.newestTimestamp(of: log.tail.segment)
        }
        try log.writer.sync()
        let policy = RetentionPolicy(byteCountMax: 1)
        let position = policy.trimPosition(
            segments: log.store.segments, durable: log.writer.durable.position, now: .zero
        ) { try? log.store.newestTimestamp(of: $0) }
        #expect(position == Position(segment: log.tail.segment, offset: 0))
        try log.writer.trim(before: try #require(position))
        #expect(log.store.segments.count == 1)
    }
}
