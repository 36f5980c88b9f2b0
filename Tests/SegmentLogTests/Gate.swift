import DiskIO
import Dispatch
import SegmentLog
import Simulation

/// Watches the syncs of segment files, and can hold them up.
final class Gate: Sendable {
    private struct State {
        var isOpen = true
        var passed = 0
        var waiting = 0
    }

    private let state = Lock(State())
    private let semaphore = DispatchSemaphore(value: 0)

    /// Syncs that were let through.
    var passed: Int { self.state.withLock { $0.passed } }
    /// Syncs that are held up now.
    var waiting: Int { self.state.withLock { $0.waiting } }

    func close() { self.state.withLock { $0.isOpen = false } }

    func open() {
        let waiting = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiting = 0 }
            return state.waiting
        }
        for _ in 0..<waiting { self.semaphore.signal() }
    }

    /// To be called by the disk before each operation, on the thread that asks for it.
    func observe(_ call: DiskCall) {
        guard call.operation == .sync, call.path.hasSuffix(".wal") else { return }
        let mustWait = self.state.withLock { state in
            if !state.isOpen { state.waiting += 1 }
            return !state.isOpen
        }
        if mustWait { self.semaphore.wait() }
        self.state.withLock { $0.passed += 1 }
    }

    /// One append whose sync is held up, and one more that waits for the next. Whoever calls opens the gate.
    func holdTwoAppends(
        to log: SegmentLog
    ) async throws -> (first: Task<Appended, any Error>, second: Task<Appended, any Error>) {
        self.close()
        let first = Task { try await log.append(Record("first")) }
        try await eventually { self.waiting == 1 }
        let second = Task { try await log.append(Record("second")) }
        try await eventually { log.nextIndex == LogIndex(3) }
        return (first, second)
    }

    func disk() -> SimulatedFileSystem { SimulatedFileSystem { [self] call in self.observe(call) } }
}

/// Gives way to other tasks until `condition` holds; ends with an error when the test's time is up.
func eventually(_ condition: () -> Bool) async throws {
    while !condition() {
        try Task.checkCancellation()
        await Task.yield()
    }
}
