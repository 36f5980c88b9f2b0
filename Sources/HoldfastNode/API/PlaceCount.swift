import Synchronization

/// So many places for work of one kind, or bytes of it; who finds too few is refused, and does not wait.
final class PlaceCount: Sendable {
    /// Given back with its last reference.
    final class Place: Sendable {
        private let owner: PlaceCount
        private let count: Int

        fileprivate init(_ count: Int, of owner: PlaceCount) {
            self.count = count
            self.owner = owner
        }

        deinit { self.owner.free.withLock { $0 += self.count } }
    }

    private let free: Mutex<Int>

    init(_ count: Int) { self.free = Mutex(count) }

    /// - Returns: `nil` when fewer are left.
    func take(_ count: Int = 1) -> Place? {
        let isTaken = self.free.withLock { free in
            guard free >= count else { return false }
            free -= count
            return true
        }
        return isTaken ? Place(count, of: self) : nil
    }
}
