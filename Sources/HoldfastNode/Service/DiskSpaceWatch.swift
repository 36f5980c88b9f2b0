import DiskIO
import Glibc
import NIOCore
import NIOPosix

/// How much room there is where the log is, as the file system said last.
///
/// Rule: the file system is asked on a thread of its own, one question at a time, and nobody waits for the answer. Why: one
/// that hangs would otherwise take a thread of the whole program from it with each status and each scrape, until none is left.
final class DiskSpaceWatch: Sendable {
    struct Space: Hashable, Sendable {
        /// For whoever is not root.
        var freeBytes: UInt64
        var totalBytes: UInt64
    }

    private struct State: Sendable {
        /// `nil` in it when the file system would not say.
        var last: (space: Space?, at: NIODeadline)?
        var isAsking = false
    }

    private let state = Lock(State())
    private let threads = NIOThreadPool(numberOfThreads: 1)
    private let question: @Sendable () -> Space?

    /// - Parameter question: May take any time.
    init(question: @escaping @Sendable () -> Space?) {
        self.question = question
        self.threads.start()
    }

    // A question that is still open is left to the end of the process.
    deinit { self.threads.shutdownGracefully { _ in } }

    convenience init(directory: String) {
        self.init {
            var space = statvfs()
            guard statvfs(directory, &space) == 0 else { return nil }
            let unit = UInt64(space.f_frsize)
            return Space(freeBytes: UInt64(space.f_bavail) * unit, totalBytes: UInt64(space.f_blocks) * unit)
        }
    }

    /// Asks now, unless the last question is still open; returns at once.
    func ask() {
        let isFirst = self.state.withLock { state in
            defer { state.isAsking = true }
            return !state.isAsking
        }
        guard isFirst else { return }
        self.threads.submit { [self] call in
            let space = call == .active ? self.question() : nil
            self.state.withLock { state in
                if call == .active { state.last = (space, .now()) }
                state.isAsking = false
            }
        }
    }

    /// What was said last, and how long ago; `nil` before anything was.
    func last(at now: NIODeadline = .now()) -> (space: Space?, age: TimeAmount)? {
        self.state.withLock { state in state.last.map { ($0.space, now - $0.at) } }
    }
}
