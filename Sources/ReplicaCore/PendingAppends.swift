import DequeModule
import LogModel
import RaftCore

/// Appends that wait for their commit, in the order of the log; and those that are committed and wait for every voter,
/// as their callers asked.
///
///     placed --committed--> answered
///                  '------> waiting for all --every voter vouches--> answered
///                                   '--------the time is up, or leadership--> notByAll
package struct PendingAppends: Sendable {
    package struct Pending: Sendable {
        package var id: UInt64
        package var end: Position
        package var deadline: MonotonicTime
        package var outcome: AppendOutcome
        /// Until when every voter must vouch; `nil` when a quorum is enough.
        package var allDeadline: MonotonicTime?

        package init(
            id: UInt64, end: Position, deadline: MonotonicTime, outcome: AppendOutcome,
            allDeadline: MonotonicTime? = nil
        ) {
            self.id = id
            self.end = end
            self.deadline = deadline
            self.outcome = outcome
            self.allDeadline = allDeadline
        }
    }

    package typealias Answer = (id: UInt64, answer: Result<AppendOutcome, AppendFailure>)

    private var placed: Deque<Pending> = []
    /// Duplicates of earlier appends that are asked about while those wait: few, and in no order.
    private var duplicates: [Pending] = []
    /// Committed: few, and in no order.
    private var waitingForAll: [Pending] = []

    package init() {}

    package var count: Int { self.placed.count + self.duplicates.count + self.waitingForAll.count }
    package var isAnybodyWaitingForAll: Bool { !self.waitingForAll.isEmpty }

    package mutating func append(_ pending: Pending) {
        if pending.outcome.isDuplicate { self.duplicates.append(pending) } else { self.placed.append(pending) }
    }

    /// Takes out what the commit covers, oldest first, each with who vouches for it; but keeps what waits for all.
    package mutating func committed(through position: Position, vouchers: Vouchers) -> [Pending] {
        var done: [Pending] = []
        while let oldest = self.placed.first, oldest.end <= position {
            done.append(oldest)
            self.placed.removeFirst()
        }
        if !self.duplicates.isEmpty {
            done += self.duplicates.filter { $0.end <= position }
            self.duplicates.removeAll { $0.end <= position }
        }
        for place in done.indices {
            done[place].outcome = done[place].outcome.vouched(by: vouchers, through: done[place].end)
        }
        let waiting = done.filter { $0.allDeadline != nil && $0.outcome.nodes < $0.outcome.voters }
        guard !waiting.isEmpty else { return done }
        self.waitingForAll += waiting
        return done.filter { $0.allDeadline == nil || $0.outcome.nodes == $0.outcome.voters }
    }

    /// Takes out those committed ones for which every voter vouches by now, and those whose time is up.
    package mutating func decided(by vouchers: Vouchers, at now: MonotonicTime) -> [Answer] {
        var decided: [Answer] = []
        self.waitingForAll.removeAll { pending in
            let outcome = pending.outcome.vouched(by: vouchers, through: pending.end)
            if vouchers.areAll(through: pending.end) {
                decided.append((pending.id, .success(outcome)))
            } else if pending.allDeadline.map({ $0 <= now }) ?? true {
                decided.append((pending.id, .failure(.notByAll(outcome))))
            } else {
                return false
            }
            return true
        }
        return decided
    }

    /// Takes out what has waited too long for its commit.
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

    /// Nobody knows any more what comes of it; what is committed stays so.
    package mutating func removeAll() -> [Answer] {
        defer { self = PendingAppends() }
        let unknown: [Answer] = (self.placed + self.duplicates).map { ($0.id, .failure(.leadershipLost)) }
        return unknown + self.waitingForAll.map { ($0.id, .failure(.notByAll($0.outcome))) }
    }
}
