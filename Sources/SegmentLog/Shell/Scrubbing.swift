import LogModel

/// The scrubber of one open log, run by its maintenance thread while that has nothing else to do.
struct Scrubbing {
    private var scrubber: Scrubber
    private let shell: LogShell

    init(_ shell: LogShell) {
        self.shell = shell
        self.scrubber = Scrubber(shell.store, bytesPerSecond: shell.configuration.scrubBytesPerSecond)
        self.scrubber.isPaused = shell.configuration.scrubBytesPerSecond == 0
    }

    /// Reads a slice if that is due.
    ///
    /// - Returns: When the next one is; `nil` for never.
    mutating func step(now: MonotonicTime) -> MonotonicTime? {
        guard !self.shell.isClosed else { return nil }
        let before = self.scrubber.progress
        do throws(LogError) {
            let step = try self.scrubber.step(now: now, durable: self.shell.durable)
            let byteCount = self.scrubber.progress.byteCount - before.byteCount
            if byteCount > 0 { self.shell.metrics.scrubbed(byteCount: byteCount) }
            return step.due
        } catch {
            // A segment that cannot be opened now is tried again with the next pass.
            return now.advanced(byMilliseconds: EngineLimits.scrubRetryMilliseconds)
        }
    }
}
