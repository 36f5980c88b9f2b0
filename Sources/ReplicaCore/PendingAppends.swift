import DequeModule
import LogModel

/// Appends that wait for their commit, in the order of the log.
package struct PendingAppends: Sendable {
    package struct Pending: Sendable {
        package var id: UInt64
        package var end: Position
        package var deadline: MonotonicTime
        package var outcome: AppendOutcome
    }

    private var placed: Deque<Pending> = []
    /// Duplicates of appends that are themselves not committed yet: few, and in no order.
    private var duplicates: [Pending] = []

    package init() {}

    package var count: Int { self.placed.count + self.duplicates.count }

    package mutating func append(_ pending: Pending) {
        if pending.outcome.isDuplicate { self.duplicates.append(pending) } else { self.placed.append(pending) }
    }

    /// Takes out what the commit covers, oldest first.
    package mutating func committed(through position: Position) -> [Pending] {
        var done: [Pending] = []
        while let oldest = self.placed.first, oldest.end <= position {
            done.append(oldest)
            self.placed.removeFirst()
        }
        if !self.duplicates.isEmpty {
            done += self.duplicates.filter { $0.end <= position }
            self.duplicates.removeAll { $0.end <= position }
        }
        return done
    }

    /// Takes out what has waited too long.
    package mutating func expired(at now: MonotonicTime) -> [UInt64] {
        var ids: [UInt64] = []
        while let oldest = self.placed.first, oldest.deadline <= now {
            ids.append(oldest.id)
            self.placed.removeFirst()
        }
        if !self.duplicates.isEmpty {
            ids += self.duplicates.filter { $0.deadline <= now }.map(\.id)
            self.duplicates.removeAll { $0.deadline <= now }
        }
        return ids
    }

    package mutating func removeAll() -> [UInt64] {
        defer {
            self.placed.removeAll()
            self.duplicates.removeAll()
        }
        return self.placed.map(\.id) + self.duplicates.map(\.id)
    }
}
