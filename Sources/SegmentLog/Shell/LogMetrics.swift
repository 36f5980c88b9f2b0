import LogModel
import Metrics

/// What a log tells swift-metrics, each with the dimension `node`. Counters are brought up to date once a second.
struct LogMetrics: Sendable {
    private let appends: Counter
    private let records: Counter
    private let bytes: Counter
    private let syncs: Counter
    private let syncCallers: Counter
    private let segmentsRolled: Counter
    private let segmentsTrimmed: Counter
    private let scrubbedBytes: Counter
    private let damagedRanges: Counter
    private let syncDuration: Timer

    init(node: NodeID) {
        let dimensions = [("node", "\(node)")]
        self.appends = Counter(label: "holdfast_log_appends_total", dimensions: dimensions)
        self.records = Counter(label: "holdfast_log_records_total", dimensions: dimensions)
        self.bytes = Counter(label: "holdfast_log_appended_bytes_total", dimensions: dimensions)
        self.syncs = Counter(label: "holdfast_log_syncs_total", dimensions: dimensions)
        self.syncCallers = Counter(label: "holdfast_log_sync_callers_total", dimensions: dimensions)
        self.segmentsRolled = Counter(label: "holdfast_log_segments_rolled_total", dimensions: dimensions)
        self.segmentsTrimmed = Counter(label: "holdfast_log_segments_trimmed_total", dimensions: dimensions)
        self.scrubbedBytes = Counter(label: "holdfast_log_scrubbed_bytes_total", dimensions: dimensions)
        self.damagedRanges = Counter(label: "holdfast_log_damaged_ranges_found_total", dimensions: dimensions)
        self.syncDuration = Timer(label: "holdfast_log_sync_duration_seconds", dimensions: dimensions)
    }

    func tell(_ counters: LogCounters) {
        self.appends.increment(by: counters.appends)
        self.records.increment(by: counters.records)
        self.bytes.increment(by: counters.bytes)
        self.syncs.increment(by: counters.syncs)
        self.syncCallers.increment(by: counters.syncCallers)
        self.segmentsRolled.increment(by: counters.segmentsRolled)
        self.segmentsTrimmed.increment(by: counters.segmentsTrimmed)
    }

    func scrubbed(byteCount: Int) { self.scrubbedBytes.increment(by: byteCount) }
    func foundDamage() { self.damagedRanges.increment() }
    func synced(nanoseconds: UInt64) { self.syncDuration.recordNanoseconds(Int64(clamping: nanoseconds)) }
}
