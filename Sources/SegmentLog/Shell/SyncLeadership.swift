import CLinux
import Synchronization

/// Who may sync on a thread of the concurrency pool: one caller in the whole process at a time, and none where the pool
/// has a single thread.
///
/// A sync that a caller makes itself saves two thread changes, a third of a short sync's time. But a thread of the pool
/// that waits for the disk is missing to all other tasks, and a disk can hang: with more than one, logs on a hung disk
/// could stop everything else in the process.
enum SyncLeadership {
    private static let isTaken = Atomic<Bool>(false)
    /// The pool has a thread for each processor that the process may run on.
    private static let isPossible = holdfast_processor_count() > 1

    static func take() -> Bool {
        self.isPossible
            && self.isTaken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
    }

    static func giveBack() { self.isTaken.store(false, ordering: .releasing) }
}
