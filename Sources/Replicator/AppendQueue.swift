import DiskIO
import LogModel
import NIOCore
import ReplicaCore
import Tracing

/// Appends on their way from any thread to the event loop: all that came while the loop was busy are placed
/// together.
package final class AppendQueue: Sendable {
    package typealias Reply = @Sendable (Result<AppendOutcome, AppendFailure>) -> Void

    package struct Entry: Sendable {
        package var submission: Submission
        /// Of the caller's span; `nil` for an append that nobody traces.
        package var context: ServiceContext?
        package var reply: Reply
    }

    private struct State {
        var entries: [Entry] = []
        var byteCount = 0
        var isScheduled = false
        var isClosed = false
    }

    private let state = Lock(State())
    private let entryCountMax: Int
    private let byteCountMax: Int

    package init(entryCountMax: Int, byteCountMax: Int) {
        self.entryCountMax = entryCountMax
        self.byteCountMax = byteCountMax
    }

    package enum Admission {
        /// The caller schedules a drain.
        case first
        case joined
        case refused(AppendFailure)
    }

    package func admit(_ entry: Entry) -> Admission {
        self.state.withLock { state in
            if state.isClosed { return .refused(.shuttingDown(mayBeApplied: false)) }
            if state.entries.count >= self.entryCountMax || state.byteCount >= self.byteCountMax {
                return .refused(.busy)
            }
            state.entries.append(entry)
            state.byteCount += entry.submission.draft.byteCount
            defer { state.isScheduled = true }
            return state.isScheduled ? .joined : .first
        }
    }

    package func drain() -> [Entry] {
        self.state.withLock { state in
            state.isScheduled = false
            state.byteCount = 0
            let entries = state.entries
            state.entries = []
            return entries
        }
    }

    package func close() -> [Entry] {
        self.state.withLock { state in
            state.isClosed = true
            let entries = state.entries
            state.entries = []
            return entries
        }
    }
}
