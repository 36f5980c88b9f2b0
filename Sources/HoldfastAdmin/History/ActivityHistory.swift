import LogModel

/// A sample for each second of the last minute, and what they say about it.
package struct ActivityHistory: Sendable {
    /// Oldest first.
    private var samples: [ActivitySample] = []

    package init() {}

    /// One that counts less than the last began anew, as a node does that takes its log up again: so does the history.
    package mutating func add(_ sample: ActivitySample) {
        if let last = self.samples.last, !sample.continues(last) { self.samples = [] }
        self.samples.append(sample)
        if self.samples.count > AdminLimits.samplesMax { self.samples.removeFirst() }
    }

    package var activity: RecentActivity {
        var result = RecentActivity()
        result.points = zip(self.samples, self.samples.dropFirst()).map { RecentActivity.Point(from: $0, to: $1) }
        let window = self.samples.suffix(AdminLimits.rateSampleCount + 1)
        guard let first = window.first, let last = window.last, first.monotonic < last.monotonic else { return result }
        result.seconds = last.seconds(since: first)
        result.appendsPerSecond = Double(last.appends - first.appends) / result.seconds
        result.recordsPerSecond = Double(last.records - first.records) / result.seconds
        result.bytesPerSecond = Double(last.bytes - first.bytes) / result.seconds
        result.syncsPerSecond = Double(last.syncs - first.syncs) / result.seconds
        result.appendSeconds = .init(last.appendLatency.since(first.appendLatency))
        result.syncSeconds = .init(last.syncLatency.since(first.syncLatency))
        return result
    }
}

extension ActivitySample {
    fileprivate func continues(_ earlier: ActivitySample) -> Bool {
        earlier.monotonic < self.monotonic && earlier.appends <= self.appends && earlier.records <= self.records
            && earlier.bytes <= self.bytes && earlier.syncs <= self.syncs
            && earlier.appendLatency.count <= self.appendLatency.count
            && earlier.syncLatency.count <= self.syncLatency.count
    }

    fileprivate func seconds(since earlier: ActivitySample) -> Double {
        Double(self.monotonic.nanoseconds - earlier.monotonic.nanoseconds) / 1e9
    }
}

extension RecentActivity.Point {
    fileprivate init(from first: ActivitySample, to last: ActivitySample) {
        let seconds = last.seconds(since: first)
        self.init(
            time: Double(last.time.nanoseconds / 1_000_000) / 1_000,
            recordsPerSecond: Double(last.records - first.records) / seconds,
            bytesPerSecond: Double(last.bytes - first.bytes) / seconds,
            appendSeconds: .init(last.appendLatency.since(first.appendLatency)),
            syncSeconds: .init(last.syncLatency.since(first.syncLatency)))
    }
}

extension RecentActivity.Quantiles {
    /// `nil` when nothing was measured.
    fileprivate init?(_ latency: LatencyHistogram) {
        guard let median = latency.quantile(0.5), let late = latency.quantile(0.99) else { return nil }
        self.init(p50: Double(median) / 1e9, p99: Double(late) / 1e9)
    }
}
