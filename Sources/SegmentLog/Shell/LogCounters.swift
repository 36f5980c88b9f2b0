import LogModel

/// What happened since metrics were told last. Plain numbers under the log's lock: counting costs nothing.
struct LogCounters: Hashable, Sendable {
    var appends: UInt64 = 0
    var records: UInt64 = 0
    var bytes: UInt64 = 0
    var syncs: UInt64 = 0
    /// Appends that shared those syncs.
    var syncCallers: UInt64 = 0
    var segmentsRolled: UInt64 = 0
    var segmentsTrimmed: UInt64 = 0

    private var toldAt = MonotonicTime.zero
    private static let intervalMilliseconds: UInt64 = 1000

    var isDirty: Bool { self.appends > 0 || self.syncs > 0 || self.segmentsTrimmed > 0 }

    mutating func appended(records: Int, byteCount: Int) {
        self.appends += 1
        self.records += UInt64(records)
        self.bytes += UInt64(byteCount)
    }

    mutating func synced(callers: Int) {
        self.syncs += 1
        self.syncCallers += UInt64(callers)
    }

    /// When metrics are to be told; `nil` when there is nothing to tell.
    var due: MonotonicTime? {
        self.isDirty ? self.toldAt.advanced(byMilliseconds: Self.intervalMilliseconds) : nil
    }

    func isDue(now: MonotonicTime) -> Bool { self.due.map { $0 <= now } ?? false }

    /// Hands over what was counted, and begins anew.
    mutating func take(now: MonotonicTime) -> LogCounters {
        defer {
            self = LogCounters()
            self.toldAt = now
        }
        return self
    }
}
