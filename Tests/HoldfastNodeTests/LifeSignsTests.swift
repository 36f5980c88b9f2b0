import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import HoldfastNode

@Suite struct LifeSignsTests {
    /// A part of a node that answers until it hangs.
    private final class Part: Sendable {
        private let state = Mutex((isHung: false, hungCount: 0))
        var hungCount: Int { self.state.withLock { $0.hungCount } }

        func hang() { self.state.withLock { $0.isHung = true } }

        func reach() async {
            let isHung = self.state.withLock { state in
                if state.isHung { state.hungCount += 1 }
                return state.isHung
            }
            if isHung { try? await Task.sleep(for: .seconds(3_600)) }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `the watchdog is fed while all answers, and not once anything hangs; the status is told when it changes`()
        async throws
    {
        let socket = try NotifySocket()
        let part = Part()
        let signs = LifeSigns(
            ServiceNotifier(environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "15000"]))
        let running = Task {
            await signs.running {
                await part.reach()
            } words: {
                "leads"
            }
        }
        defer { running.cancel() }
        var told: [String] = []
        while told.count(where: { $0 == "WATCHDOG=1" }) < 5 {
            told += socket.take()
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(told.filter { $0.hasPrefix("STATUS=") } == ["STATUS=leads"])
        part.hang()
        while part.hungCount == 0 { try await Task.sleep(for: .milliseconds(2)) }
        _ = socket.take()
        // Twelve times as long as between two watchdogs.
        try await Task.sleep(for: .milliseconds(60))
        #expect(socket.take().isEmpty)
    }

    @Test(.timeLimit(.minutes(1))) func `a watchdog that wants to hear all the time is fed as often as makes sense`()
        async throws
    {
        let socket = try NotifySocket()
        let signs = LifeSigns(ServiceNotifier(environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "1"]))
        let looks = Mutex(0)
        let began = ContinuousClock.now
        let running = Task {
            await signs.running {
                looks.withLock { $0 += 1 }
            } words: {
                "leads"
            }
        }
        while looks.withLock({ $0 }) < 20 { try await Task.sleep(for: .milliseconds(2)) }
        running.cancel()
        await running.value
        let count = looks.withLock { $0 }
        let pause = Duration.microseconds(Int64(LifeSigns.pauseMicroseconds.lowerBound))
        #expect(began.duration(to: .now) >= pause * (count - 1))
    }

    @Test(.timeLimit(.minutes(1)))
    func `starting is given more time while recovery reads, and none while it does not`() async throws {
        let socket = try NotifySocket()
        let signs = LifeSigns(ServiceNotifier(environment: ["NOTIFY_SOCKET": socket.path]))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let looks = Mutex(UInt64(0))
        // It reads until it has been looked at five times.
        let task = signs.starting(on: loop, every: .milliseconds(2)) {
            looks.withLock { count in
                count += 1
                return min(count, 5) * LifeSigns.readByteCountMin
            }
        }
        while looks.withLock({ $0 }) < 12 { try await Task.sleep(for: .milliseconds(2)) }
        task.cancel()
        #expect(socket.take() == Array(repeating: "EXTEND_TIMEOUT_USEC=30000000", count: 4))
        #expect(LifeSigns.readByteCount() > 0)
        // To look is not to read; but other tests of this process do, at times.
        var isStill = false
        for _ in 0..<10_000 where !isStill {
            let before = LifeSigns.readByteCount()
            isStill = LifeSigns.readByteCount() < before + LifeSigns.readByteCountMin
            if !isStill { try await Task.sleep(for: .milliseconds(1)) }
        }
        #expect(isStill)
    }
}
