import DiskIO
import LogModel
import Simulation
import Testing

@testable import SegmentLog

/// Whom a sync waits for.
@Suite struct `A sync's gathering` {
    private let took: UInt64 = 200_000
    private func time(_ nanoseconds: UInt64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    @Test func `waits for nobody at first`() {
        #expect(SyncGathering().isComplete(waiting: 1))
    }

    @Test func `waits for those who were served and those who came meanwhile, for half the time of a sync`() {
        var gathering = SyncGathering()
        gathering.synced(served: 3, waiting: 2, nanoseconds: self.took, now: self.time(1000))
        #expect(!gathering.isComplete(waiting: 4))
        #expect(gathering.isComplete(waiting: 5))
        #expect(gathering.deadline == self.time(101_000))
    }

    @Test func `waits for a millisecond at most, however slow the disk is`() {
        var gathering = SyncGathering()
        gathering.synced(served: 2, waiting: 0, nanoseconds: 4_000_000_000, now: self.time(5))
        #expect(gathering.deadline == self.time(1_000_005))
    }

    @Test func `does not wait for a single caller`() {
        var gathering = SyncGathering()
        gathering.synced(served: 1, waiting: 0, nanoseconds: self.took, now: .zero)
        #expect(gathering.isComplete(waiting: 0))
    }

    @Test func `waits for nobody for a while after a miss, and twice as long after each in a row`() {
        var gathering = SyncGathering()
        var skips: [Int] = []
        for _ in 0..<8 {
            var count = 0
            gathering.synced(served: 2, waiting: 0, nanoseconds: self.took, now: .zero)
            while gathering.expected == 0 {
                gathering.began(waiting: 1)
                count += 1
                gathering.synced(served: 2, waiting: 0, nanoseconds: self.took, now: .zero)
            }
            skips.append(count)
            gathering.began(waiting: 1)
        }
        #expect(skips == [0, 7, 15, 31, 63, 127, 255, 255])
    }

    @Test func `begins anew after a hit`() {
        var gathering = SyncGathering()
        gathering.synced(served: 2, waiting: 0, nanoseconds: self.took, now: .zero)
        gathering.began(waiting: 1)
        for _ in 0..<8 { gathering.synced(served: 2, waiting: 0, nanoseconds: self.took, now: .zero) }
        #expect(gathering.expected == 2)
        gathering.began(waiting: 2)
        gathering.synced(served: 2, waiting: 0, nanoseconds: self.took, now: .zero)
        #expect(gathering.expected == 2)
    }

    @Test(.timeLimit(.minutes(1)))
    func `gives callers that append in turn one sync for all, and lets go on who is left alone`() async throws {
        let disk = SimulatedFileSystem()
        let (log, _) = try await SegmentLog.open(EngineHarness.configuration(), fileSystem: disk)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 1...8 {
                // The callers end one after the other, so each number of them is met, and each goes missing.
                group.addTask {
                    for number in 0..<caller * 50 { try await log.append(Record(EngineHarness.value(number))) }
                }
            }
            try await group.waitForAll()
        }
        #expect(log.nextIndex == LogIndex(1 + 50 * 36))
        #expect(log.durable == log.tail)
        try await log.close()
    }
}
