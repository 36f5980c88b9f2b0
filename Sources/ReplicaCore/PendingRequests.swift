import LogModel

/// Requests of operators that wait: for the commit of a frame, or for the proof that this node still leads.
struct PendingRequests {
    private struct Waiting {
        /// `nil`: for the proof.
        var end: Position?
        var deadline: MonotonicTime
    }

    private var waiting: [UInt64: Waiting] = [:]

    var count: Int { self.waiting.count }

    mutating func add(_ id: UInt64, end: Position?, until deadline: MonotonicTime) {
        self.waiting[id] = Waiting(end: end, deadline: deadline)
    }

    mutating func confirmed(_ id: UInt64) -> Bool { self.waiting.removeValue(forKey: id) != nil }

    mutating func committed(through position: Position) -> [UInt64] {
        self.take { $0.end.map { $0 <= position } ?? false }
    }

    mutating func expired(at now: MonotonicTime) -> [UInt64] { self.take { $0.deadline <= now } }

    mutating func removeAll() -> [UInt64] { self.take { _ in true } }

    private mutating func take(_ isDone: (Waiting) -> Bool) -> [UInt64] {
        guard !self.waiting.isEmpty else { return [] }
        let done = self.waiting.filter { isDone($0.value) }.map(\.key).sorted()
        for id in done { self.waiting[id] = nil }
        return done
    }
}
