import Synchronization

/// Says why something is tried again, once for each reason in a row.
final class RetryNotes: Sendable {
    private let console: Console
    private let last = Mutex("")

    init(console: Console) { self.console = console }

    @Sendable func said(_ reason: String) {
        let isNew = self.last.withLock { last in
            defer { last = reason }
            return last != reason
        }
        if isNew { self.console.note("trying again: \(reason)") }
    }
}
