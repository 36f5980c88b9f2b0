import DiskIO
import LogModel

/// The newest events of a node, in memory. Any thread.
///
/// Bounded: the oldest leave, and their numbers with them, so that a reader sees that it has missed some.
package final class EventLog: Sendable {
    package static let eventCountMax = 1_000

    private struct State {
        var events: [NodeEvent] = []
        /// Where the oldest stands once the ring is full.
        var start = 0
        var lastNumber: UInt64 = 0
    }

    private let state = Lock(State())

    package init() {}

    /// The number of the newest event; 0 before there is one.
    package var lastNumber: UInt64 { self.state.withLock { $0.lastNumber } }

    package func note(_ kind: NodeEvent.Kind, at time: Timestamp = WallClock.now()) {
        self.state.withLock { state in
            state.lastNumber += 1
            let event = NodeEvent(number: state.lastNumber, time: time, kind: kind)
            guard state.events.count == Self.eventCountMax else { return state.events.append(event) }
            state.events[state.start] = event
            state.start = (state.start + 1) % Self.eventCountMax
        }
    }

    /// Events behind `number` that are still there, oldest first.
    package func events(after number: UInt64) -> [NodeEvent] {
        self.state.withLock { state in
            let ordered = state.events[state.start...] + state.events[..<state.start]
            return ordered.filter { $0.number > number }
        }
    }
}
