import DiskIO
import LogModel

/// How far the log is committed, for readers on any thread, and who waits for more.
package final class CommitWatch: Sendable {
    package struct View: Hashable, Sendable {
        package var position: Position
        /// The index that the next committed record takes.
        package var nextIndex: LogIndex
    }

    private struct Waiter {
        var id: UInt64
        var index: LogIndex
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var view: View
        var waiters: [Waiter] = []
        var lastID: UInt64 = 0
        var isClosed = false
        /// Who is about to wait. Whoever gives up before it waits leaves this set, and finds that out.
        var arriving: Set<UInt64> = []
    }

    private let state: Lock<State>

    package init(_ view: View) {
        self.state = Lock(State(view: view))
    }

    package var view: View { self.state.withLock { $0.view } }

    /// How many wait, or are about to.
    var waitingCount: Int { self.state.withLock { $0.waiters.count + $0.arriving.count } }

    package func advance(to view: View) {
        let woken = self.state.withLock { state -> [Waiter] in
            state.view = view
            guard !state.waiters.isEmpty else { return [] }
            let woken = state.waiters.filter { $0.index < view.nextIndex }
            if !woken.isEmpty { state.waiters.removeAll { $0.index < view.nextIndex } }
            return woken
        }
        for waiter in woken { waiter.continuation.resume(returning: true) }
    }

    /// Ends all waiting; nobody can wait afterwards.
    package func close() {
        let woken = self.state.withLock { state -> [Waiter] in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in woken { waiter.continuation.resume(returning: false) }
    }

    /// Waits until the record at `index` is committed.
    ///
    /// - Returns: `false` after the time-out, when the task is cancelled, or when the node stops.
    package func wait(for index: LogIndex, timeoutMilliseconds: UInt64) async -> Bool {
        let id = self.state.withLock { state in
            state.lastID += 1
            state.arriving.insert(state.lastID)
            return state.lastID
        }
        let alarm = Task {
            try? await Task.sleep(for: .milliseconds(timeoutMilliseconds))
            self.giveUp(id)
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = self.state.withLock { state -> Bool? in
                    let isWanted = state.arriving.remove(id) != nil
                    if index < state.view.nextIndex { return true }
                    if state.isClosed || !isWanted { return false }
                    state.waiters.append(Waiter(id: id, index: index, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            self.giveUp(id)
        }
    }

    private func giveUp(_ id: UInt64) {
        let waiter = self.state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                state.arriving.remove(id)
                return nil
            }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }
}
