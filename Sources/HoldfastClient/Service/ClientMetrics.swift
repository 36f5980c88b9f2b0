import Metrics

/// What a client tells swift-metrics.
struct ClientMetrics: Sendable {
    private let requests: Counter
    private let failures: Counter
    private let retries: Counter
    private let recordsAppended: Counter
    private let recordsRead: Counter
    private let tailStreams: Counter
    private let requestDuration: Timer
    private let appendDuration: Timer
    private let batchRecords: Recorder

    init(factory: any MetricsFactory) {
        self.requests = Counter(label: "holdfast_client_requests_total", factory: factory)
        self.failures = Counter(label: "holdfast_client_request_failures_total", factory: factory)
        self.retries = Counter(label: "holdfast_client_retries_total", factory: factory)
        self.recordsAppended = Counter(label: "holdfast_client_records_appended_total", factory: factory)
        self.recordsRead = Counter(label: "holdfast_client_records_read_total", factory: factory)
        self.tailStreams = Counter(label: "holdfast_client_tail_streams_total", factory: factory)
        self.requestDuration = Timer(label: "holdfast_client_request_duration_seconds", factory: factory)
        self.appendDuration = Timer(label: "holdfast_client_append_duration_seconds", factory: factory)
        self.batchRecords = Recorder(label: "holdfast_client_batch_records", factory: factory)
    }

    /// A server was asked, and answered or not.
    func asked(since start: ContinuousClock.Instant, isAnswered: Bool) {
        self.requests.increment()
        if !isAnswered { self.failures.increment() }
        self.requestDuration.record(duration: start.duration(to: .now))
    }

    func retried() { self.retries.increment() }

    /// - Parameter start: When the caller asked, before all attempts.
    func appended(_ receipt: AppendReceipt, since start: ContinuousClock.Instant) {
        self.appendDuration.record(duration: start.duration(to: .now))
        self.recordsAppended.increment(by: receipt.last.rawValue - receipt.first.rawValue + 1)
    }

    func read(_ count: Int) { self.recordsRead.increment(by: count) }
    func openedTail() { self.tailStreams.increment() }
    func sent(batch count: Int) { self.batchRecords.record(count) }
}
