import DiskIO
import LogModel
import SegmentLog

/// What callers of a stress run were told, and in which order.
final class StressLedger: Sendable {
    /// An append that returned.
    struct Told: Sendable {
        var appended: Appended
        var values: [StressValue]
        /// When the call began: a count that all events of a run share.
        var began: UInt64
    }

    /// A truncation that returned.
    struct Cut: Sendable {
        var position: Position
        var returned: UInt64
    }

    private struct State {
        var now: UInt64 = 0
        var told: [Told] = []
        var refused: [StressValue] = []
        var cuts: [Cut] = []
        var isSealed = false
    }

    private let state = Lock(State())

    /// The next moment.
    private var now: UInt64 {
        self.state.withLock { state in
            state.now += 1
            return state.now
        }
    }

    func append(_ values: [StressValue], to log: SegmentLog) async throws(LogError) -> Appended {
        let began = self.now
        do throws(LogError) {
            let appended = try await log.append(contentsOf: values.map(\.record))
            self.state.withLock { state in
                if state.isSealed {
                    state.refused += values
                } else {
                    state.told.append(Told(appended: appended, values: values, began: began))
                }
            }
            return appended
        } catch {
            self.state.withLock { $0.refused += values }
            throw error
        }
    }

    func truncate(_ log: SegmentLog, from position: Position) async throws(LogError) {
        try await log.truncate(from: position)
        self.state.withLock { state in
            state.now += 1
            state.cuts.append(Cut(position: position, returned: state.now))
        }
    }

    var told: [Told] { self.state.withLock { $0.told } }
    /// Nobody hears what is told from here on, as after the death of the process: it counts as refused.
    func seal() { self.state.withLock { $0.isSealed = true } }

    /// Of appends that threw.
    var refused: [StressValue] { self.state.withLock { $0.refused } }
    var cuts: [Cut] { self.state.withLock { $0.cuts } }
    func random() -> Appended? { self.state.withLock { $0.told.randomElement()?.appended } }
}
