import NIOCore
import Synchronization

/// How much of requests' bodies may be in memory at once, over all connections: bodies that are large and slow are no way
/// to fill it.
final class BodyBudget: Sendable {
    private let byteCountMax: Int
    private let taken = Atomic<Int>(0)

    init(byteCountMax: Int = AdminLimits.mirroredTotalByteCountMax) { self.byteCountMax = byteCountMax }

    /// One body's part of it, which is given back when nobody holds it any more.
    final class Share {
        private let budget: BodyBudget
        private var byteCount = 0
        private var countedByteCount: Int { max(0, self.byteCount - AdminLimits.mirroredUncountedByteCount) }

        init(of budget: BodyBudget) { self.budget = budget }

        deinit { self.budget.taken.subtract(self.countedByteCount, ordering: .relaxed) }

        /// - Returns: Whether there is room for so much more; otherwise nothing has changed.
        func grow(by byteCount: Int) -> Bool {
            let before = self.countedByteCount
            self.byteCount += byteCount
            let more = self.countedByteCount - before
            let total = self.budget.taken.add(more, ordering: .relaxed).newValue
            guard more > 0, total > self.budget.byteCountMax else { return true }
            self.budget.taken.subtract(more, ordering: .relaxed)
            self.byteCount -= byteCount
            return false
        }
    }
}
