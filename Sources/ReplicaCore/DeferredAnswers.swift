import LogModel

/// Answers that rest on the log's tail, refusals above all. Each waits for two things:
///
///     unconfirmed --this node still leads--> confirmed --its tail is committed--> given
///
/// A leader that has been replaced, and does not know it yet, may lack what its successor committed; and what is not
/// committed may go again, with the reason for the answer.
struct DeferredAnswers: Sendable {
    struct Deferred: Sendable {
        var id: UInt64
        var answer: Result<AppendOutcome, AppendFailure>
        /// Where the log ended when it was asked.
        var tail: Position
        var deadline: MonotonicTime
    }

    private var unconfirmed: [UInt64: Deferred] = [:]
    /// Few, oldest first.
    private var confirmed: [Deferred] = []

    var count: Int { self.unconfirmed.count + self.confirmed.count }

    mutating func add(_ deferred: Deferred) { self.unconfirmed[deferred.id] = deferred }

    /// - Returns: Whether the confirmation was for an answer.
    mutating func confirm(_ id: UInt64) -> Bool {
        guard let deferred = self.unconfirmed.removeValue(forKey: id) else { return false }
        self.confirmed.append(deferred)
        return true
    }

    /// - Returns: Whether the confirmation had been asked for an answer, which is gone now.
    mutating func drop(_ id: UInt64) -> Bool { self.unconfirmed.removeValue(forKey: id) != nil }

    /// Takes out the confirmed answers that the commit covers, oldest first.
    mutating func committed(through position: Position) -> [Deferred] {
        guard !self.confirmed.isEmpty else { return [] }
        let done = self.confirmed.filter { $0.tail <= position }
        if !done.isEmpty { self.confirmed.removeAll { $0.tail <= position } }
        return done
    }

    /// Takes out the confirmed answers whose tail was not committed in time.
    mutating func expired(at now: MonotonicTime) -> [UInt64] {
        guard !self.confirmed.isEmpty else { return [] }
        let late = self.confirmed.filter { $0.deadline <= now }.map(\.id)
        if !late.isEmpty { self.confirmed.removeAll { $0.deadline <= now } }
        return late
    }

    mutating func removeConfirmed() -> [UInt64] {
        defer { self.confirmed = [] }
        return self.confirmed.map(\.id)
    }
}
