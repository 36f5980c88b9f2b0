import Synchronization

/// How many bytes of bodies are held, over all connections.
final class BodyBudget: Sendable {
    private let byteCountMax: Int
    private let share: Int
    private let held = Atomic(0)

    /// - Parameter share: This much of each body is taken although others hold all there is.
    init(_ byteCountMax: Int, share: Int) {
        self.byteCountMax = byteCountMax
        self.share = share
    }

    var heldByteCount: Int { self.held.load(ordering: .relaxed) }

    /// What one body holds; given back with its last reference.
    final class Place: Sendable {
        private let budget: BodyBudget
        private let held = Atomic(0)

        init(in budget: BodyBudget) { self.budget = budget }

        deinit { self.budget.held.subtract(self.held.load(ordering: .relaxed), ordering: .relaxed) }

        /// - Returns: `false` when there is no room for them: they are not counted then.
        func take(_ byteCount: Int) -> Bool {
            let own = self.held.add(byteCount, ordering: .relaxed).newValue
            let all = self.budget.held.add(byteCount, ordering: .relaxed).newValue
            if all <= self.budget.byteCountMax || own <= self.budget.share { return true }
            self.held.subtract(byteCount, ordering: .relaxed)
            self.budget.held.subtract(byteCount, ordering: .relaxed)
            return false
        }
    }
}
