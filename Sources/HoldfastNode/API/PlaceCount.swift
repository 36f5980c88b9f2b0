import Synchronization

/// So many places for work of one kind; who finds none is refused, and does not wait.
final class PlaceCount: Sendable {
    /// Given back with its last reference.
    final class Place: Sendable {
        private let owner: PlaceCount
        fileprivate init(_ owner: PlaceCount) { self.owner = owner }
        deinit { self.owner.free.withLock { $0 += 1 } }
    }

    private let free: Mutex<Int>

    init(_ count: Int) { self.free = Mutex(count) }

    /// - Returns: `nil` when all are taken.
    func take() -> Place? {
        let isTaken = self.free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
        return isTaken ? Place(self) : nil
    }
}
