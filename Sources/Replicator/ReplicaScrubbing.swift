import LogModel
import NIOCore
import NIOPosix
import SegmentLog

/// The scrubber of a running node: a slice at a time on the pool, at its own pace.
///
/// Event loop only; at most one slice is read at a time, so that the scrubber itself needs no lock.
final class ReplicaScrubbing {
    private static let retryMilliseconds: UInt64 = 1_000
    /// `nil` while a slice is read.
    private var scrubber: Scrubber?
    /// 0 for never.
    private var bytesPerSecond: Int
    private let committed: () -> Position
    private let pool: NIOThreadPool
    private let eventLoop: any EventLoop
    private var next: Scheduled<Void>?
    private var isEnded = false

    /// - Parameters:
    ///   - bytesPerSecond: 0 for never.
    ///   - committed: What is synced here and committed: segments below its own never change again.
    init(
        _ store: LogStore, bytesPerSecond: Int, committed: @escaping () -> Position, pool: NIOThreadPool,
        eventLoop: any EventLoop
    ) {
        self.scrubber = Scrubber(store, bytesPerSecond: bytesPerSecond)
        self.bytesPerSecond = bytesPerSecond
        self.committed = committed
        self.pool = pool
        self.eventLoop = eventLoop
    }

    /// As of the last slice.
    private(set) var progress = Scrubber.Progress()

    func begin() { self.step() }

    /// From now on so many bytes a second.
    func pace(bytesPerSecond: Int) {
        guard bytesPerSecond != self.bytesPerSecond else { return }
        self.bytesPerSecond = bytesPerSecond
        self.next?.cancel()
        // A slice that is being read now sets the pace when it ends.
        self.scrubber?.pace(bytesPerSecond: bytesPerSecond)
        self.step()
    }

    func end() {
        self.isEnded = true
        self.next?.cancel()
    }

    private func step() {
        guard !self.isEnded, self.bytesPerSecond > 0, let scrubber = self.scrubber.take() else { return }
        let committed = self.committed()
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.pool.runIfActive(eventLoop: self.eventLoop) {
            var scrubber = scrubber
            let now = MonotonicTime(nanoseconds: NIODeadline.now().uptimeNanoseconds)
            // A segment that cannot be opened now is tried again with the next pass.
            let due =
                (try? scrubber.step(now: now, durable: committed).due)
                ?? now.advanced(byMilliseconds: Self.retryMilliseconds)
            return (scrubber, due)
        }.whenSuccess { scrubber, due in bound.value.stepped(scrubber, due) }
    }

    private func stepped(_ scrubber: Scrubber, _ due: MonotonicTime) {
        self.progress = scrubber.progress
        self.scrubber = scrubber
        guard scrubber.bytesPerSecond == self.bytesPerSecond else {
            self.scrubber?.pace(bytesPerSecond: self.bytesPerSecond)
            return self.step()
        }
        guard !self.isEnded else { return }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.next = self.eventLoop.scheduleTask(deadline: .uptimeNanoseconds(due.nanoseconds)) { bound.value.step() }
    }
}
