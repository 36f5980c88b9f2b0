import LogModel

/// Everything that rates are made of, at one moment.
package struct ActivitySample: Sendable {
    package var time: Timestamp
    package var monotonic: MonotonicTime
    package var appends: UInt64
    /// Committed, from the first on.
    package var records: UInt64
    package var bytes: UInt64
    package var syncs: UInt64
    package var appendLatency: LatencyHistogram
    package var syncLatency: LatencyHistogram

    package init(
        time: Timestamp, monotonic: MonotonicTime, appends: UInt64, records: UInt64, bytes: UInt64, syncs: UInt64,
        appendLatency: LatencyHistogram, syncLatency: LatencyHistogram
    ) {
        self.time = time
        self.monotonic = monotonic
        self.appends = appends
        self.records = records
        self.bytes = bytes
        self.syncs = syncs
        self.appendLatency = appendLatency
        self.syncLatency = syncLatency
    }
}
