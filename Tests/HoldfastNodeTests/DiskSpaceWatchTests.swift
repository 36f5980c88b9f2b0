import Dispatch
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import HoldfastNode

/// A file system that says what it was told to, once it is let.
private final class SlowFileSystem: Sendable {
    private let gate = DispatchSemaphore(value: 0)
    private let counts = NIOLockedValueBox((asked: 0, answered: 0))

    var asked: Int { self.counts.withLockedValue { $0.asked } }

    func answer() { self.gate.signal() }

    func space() -> DiskSpaceWatch.Space? {
        self.counts.withLockedValue { $0.asked += 1 }
        self.gate.wait()
        return self.counts.withLockedValue { counts in
            counts.answered += 1
            return counts.answered == 2 ? nil : .init(freeBytes: UInt64(counts.answered), totalBytes: 10)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct DiskSpaceWatchTests {
    private static func until(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func `a file system that hangs holds up nobody, and what it said before grows old`() async throws {
        let system = SlowFileSystem()
        let watch = DiskSpaceWatch { system.space() }
        #expect(watch.last() == nil)
        watch.ask()
        try await Self.until { system.asked == 1 }
        // One question is open: these return, and ask nothing.
        for _ in 0..<100 { watch.ask() }
        #expect(watch.last() == nil)
        system.answer()
        try await Self.until { watch.last() != nil }
        #expect(system.asked == 1)
        let first = try #require(watch.last())
        #expect(first.space == .init(freeBytes: 1, totalBytes: 10))

        watch.ask()
        try await Self.until { system.asked == 2 }
        let later = try #require(watch.last(at: .now() + .seconds(90)))
        #expect(later.space == first.space && later.age >= .seconds(90))

        system.answer()
        // It would not say: that is an answer, too.
        try await Self.until { watch.last().map { $0.space == nil } ?? false }
        watch.ask()
        system.answer()
        try await Self.until { watch.last()?.space != nil }
        #expect(watch.last()?.space == .init(freeBytes: 3, totalBytes: 10))
    }

    @Test func `the space of a directory is that of its file system, and nobody knows that of one that is not there`()
        async throws
    {
        let there = DiskSpaceWatch(directory: "/")
        there.ask()
        try await Self.until { there.last() != nil }
        let space = try #require(there.last()?.space)
        #expect(space.totalBytes > 0 && space.freeBytes <= space.totalBytes)

        let nowhere = DiskSpaceWatch(directory: "/proc/nowhere/at/all")
        nowhere.ask()
        try await Self.until { nowhere.last() != nil }
        #expect(try #require(nowhere.last()).space == nil)
    }
}
