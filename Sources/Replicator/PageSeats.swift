import DequeModule
import NIOCore
import Synchronization

/// How many large pages of records may be in memory at once, read or being made into an answer; the others wait in turn.
///
/// A page holds megabytes, and its answer several times that. Somebody who asks for hundreds at once, and takes none of them,
/// would have the node hold gigabytes.
///
///     take --a seat is free, and nobody waits--> held --the last holder lets go--> the first who waits, or free
///       '--> waits in turn --its task is cancelled--> gone, and its turn with it
package final class PageSeats: Sendable {
    private typealias Waiting = (number: UInt64, continuation: CheckedContinuation<PageSeat?, Never>)

    private enum Turn { case now, later, never }

    private struct State {
        var free: Int
        var waiting = Deque<Waiting>()
        var lastNumber: UInt64 = 0
    }

    private let state: Mutex<State>

    /// One core is left for those who want no pages.
    package init(count: Int = max(1, System.coreCount - 1)) {
        self.state = Mutex(State(free: count))
    }

    /// Waits until one is free, and those who asked before have had theirs. It is given back when nobody holds it any more.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled, however many still wait before it.
    package func take() async throws(CancellationError) -> PageSeat {
        let number = self.state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let seat = await withTaskCancellationHandler {
            await withCheckedContinuation { self.enqueue((number, $0)) }
        } onCancel: {
            self.cancel(number)
        }
        // One that came together with the cancellation goes to the next.
        guard let seat, !Task.isCancelled else { throw CancellationError() }
        return seat
    }

    /// How many wait.
    package var waitingCount: Int { self.state.withLock { $0.waiting.count } }

    private func enqueue(_ waiting: Waiting) {
        let turn = self.state.withLock { state in
            // A cancellation that comes after this look finds it among those who wait.
            guard !Task.isCancelled else { return Turn.never }
            guard state.free > 0 else {
                state.waiting.append(waiting)
                return .later
            }
            state.free -= 1
            return .now
        }
        switch turn {
        case .now: waiting.continuation.resume(returning: PageSeat(self))
        case .later: break
        case .never: waiting.continuation.resume(returning: nil)
        }
    }

    private func cancel(_ number: UInt64) {
        let cancelled = self.state.withLock { state in
            state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
        }
        cancelled?.continuation.resume(returning: nil)
    }

    fileprivate func giveBack() {
        let next = self.state.withLock { state in
            let next = state.waiting.popFirst()
            if next == nil { state.free += 1 }
            return next
        }
        next?.continuation.resume(returning: PageSeat(self))
    }
}

/// Held beside a page for as long as the page is. Whoever holds one must not wait for another.
package final class PageSeat: Sendable {
    /// Smaller pages are read with a seat, and kept without.
    static let pageByteCountMin = 256 << 10
    private let seats: PageSeats

    fileprivate init(_ seats: PageSeats) { self.seats = seats }
    deinit { self.seats.giveBack() }
}

/// A seat makes no page another.
extension PageSeat: Hashable {
    package static func == (left: PageSeat, right: PageSeat) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
}
