import NIOCore
import Synchronization

/// Room for the bodies of requests while they come, over all connections of the listener.
///
///     coming --its end--> whole --its answer begins, or it is given up--> gone
///        | there is no room for more of it
///        |-- another one stands still: the one that has for longest is refused, and this one goes on
///        '-- all others go on: this one is refused
///
/// Rule: standing still means that less than ``Pace`` asks for has come. Why: whoever holds all the room and sends nothing, or
/// drops, would keep everybody else out until deadlines cut it. Why not whoever is slowest, or came first: a slow uplink goes
/// on, too, and is not to be refused for each that is faster.
final class BodyBudget: Sendable {
    /// What going on means, for a body whose room others need.
    struct Pace: Hashable {
        var byteCount: Int
        var time: TimeAmount
    }

    fileprivate struct Standing {
        let body: HeldBody
        var byteCount = 0
        var isWhole = false
        /// When it went on last.
        var progressedAt: NIODeadline
        /// Bytes since then: not enough to be going on.
        var progressByteCount = 0
    }

    fileprivate struct State {
        var heldByteCount = 0
        /// At most one for each connection.
        var standings: [ObjectIdentifier: Standing] = [:]
    }

    private let byteCountMax: Int
    private let share: Int
    private let pace: Pace
    private let now: @Sendable () -> NIODeadline
    private let state = Mutex(State())

    /// - Parameters:
    ///   - share: This much of each body is taken although others hold all there is.
    ///   - pace: A body that keeps it is not refused for others.
    init(_ byteCountMax: Int, share: Int, pace: Pace, now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.byteCountMax = byteCountMax
        self.share = share
        self.pace = pace
        self.now = now
    }

    /// Of all bodies that come, or are whole and have no answer: never more than what all may have, and a share for each.
    var heldByteCount: Int { self.state.withLock { $0.heldByteCount } }

    /// Whether a body of this length is held whatever others do.
    func hasShare(for byteCount: Int) -> Bool { byteCount <= self.share }

    // MARK: For bodies

    func join(_ body: HeldBody) {
        let now = self.now()
        self.state.withLock { $0.standings[ObjectIdentifier(body)] = Standing(body: body, progressedAt: now) }
    }

    /// - Returns: `false` when there is no room for them, or the body was refused before: they are not counted then.
    func take(_ byteCount: Int, for body: HeldBody) -> Bool {
        let now = self.now()
        guard let refused = self.state.withLock({ self.take(byteCount, for: body, now: now, &$0) }) else {
            return false
        }
        // Their memory is gone before the new bytes are kept.
        for other in refused { other.refuse() }
        return true
    }

    /// - Returns: `false` when the body was refused before; else it is not refused any more.
    func complete(_ body: HeldBody) -> Bool {
        self.state.withLock { state in
            guard state.standings[ObjectIdentifier(body)] != nil else { return false }
            state.standings[ObjectIdentifier(body)]?.isWhole = true
            return true
        }
    }

    /// Nothing of it is held any more. May be called again.
    func leave(_ body: HeldBody) { self.state.withLock { $0.remove(body) } }

    /// - Returns: Which bodies are refused for it; `nil` when it is taken no more of.
    private func take(_ byteCount: Int, for body: HeldBody, now: NIODeadline, _ state: inout State) -> [HeldBody]? {
        let id = ObjectIdentifier(body)
        guard var standing = state.standings[id] else { return nil }
        standing.byteCount += byteCount
        let missing = state.heldByteCount + byteCount - self.byteCountMax
        var refused: [HeldBody] = []
        if missing > 0, standing.byteCount > self.share {
            guard let stalled = self.stalled(holding: missing, but: id, now: now, state) else { return nil }
            refused = stalled
            for other in refused { state.remove(other) }
        }
        standing.progressByteCount += byteCount
        if standing.progressByteCount >= self.pace.byteCount {
            standing.progressedAt = now
            standing.progressByteCount = 0
        }
        state.standings[id] = standing
        state.heldByteCount += byteCount
        return refused
    }

    /// - Returns: Those that have stood still for longest, as many as hold so much; `nil` when all together do not.
    private func stalled(holding byteCount: Int, but id: ObjectIdentifier, now: NIODeadline, _ state: State)
        -> [HeldBody]?
    {
        let stalled = state.standings.filter { other, standing in
            other != id && !standing.isWhole && standing.byteCount > self.share
                && standing.progressedAt + self.pace.time <= now
        }
        var found: [HeldBody] = []
        var missing = byteCount
        for standing in stalled.values.sorted(by: { $0.progressedAt < $1.progressedAt }) where missing > 0 {
            found.append(standing.body)
            missing -= standing.byteCount
        }
        return missing > 0 ? nil : found
    }
}

extension BodyBudget.State {
    fileprivate mutating func remove(_ body: HeldBody) {
        guard let standing = self.standings.removeValue(forKey: ObjectIdentifier(body)) else { return }
        self.heldByteCount -= standing.byteCount
    }
}
