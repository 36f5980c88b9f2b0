import DequeModule
import NIOCore
import Synchronization

/// How many large pages of records may be in memory at once, read or being made into an answer; the others wait in turn.
///
/// A page holds megabytes, and its answer several times that. Somebody who asks for hundreds at once, and takes none of them,
/// would have the node hold gigabytes.
package final class PageSeats: Sendable {
    private struct State {
        var free: Int
        var waiting = Deque<CheckedContinuation<PageSeat, Never>>()
    }

    private let state: Mutex<State>

    /// One core is left for those who want no pages.
    package init(count: Int = max(1, System.coreCount - 1)) {
        self.state = Mutex(State(free: count))
    }

    /// Waits until one is free. It is given back when nobody holds it any more.
    package func take() async -> PageSeat {
        await withCheckedContinuation { continuation in
            let isFree = self.state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume(returning: PageSeat(self)) }
        }
    }

    fileprivate func giveBack() {
        let next = self.state.withLock { state in
            guard let next = state.waiting.popFirst() else {
                state.free += 1
                return nil as CheckedContinuation<PageSeat, Never>?
            }
            return next
        }
        next?.resume(returning: PageSeat(self))
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
