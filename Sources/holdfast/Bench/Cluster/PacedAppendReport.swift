import HoldfastClient

/// What `bench append --rate` says; the names are those of its JSON and stay as they are.
struct PacedAppendReport: Encodable {
    /// Microseconds; `null` when nothing was acknowledged.
    struct Latency: Encodable {
        var p50: Double?
        var p90: Double?
        var p99: Double?
        var p999: Double?
        var max: Double?

        private enum CodingKeys: String, CodingKey {
            case p50 = "p50_us"
            case p90 = "p90_us"
            case p99 = "p99_us"
            case p999 = "p999_us"
            case max = "max_us"
        }

        init(_ recorder: LatencyRecorder) {
            self.p50 = recorder.percentile(50)
            self.p90 = recorder.percentile(90)
            self.p99 = recorder.percentile(99)
            self.p999 = recorder.percentile(99.9)
            self.max = recorder.percentile(100).map { _ in Double(recorder.max) / 1000 }
        }

        fileprivate var cells: [String] {
            [self.p50, self.p90, self.p99, self.p999, self.max].map { $0.map { ($0 / 1000).rounded(2) } ?? "-" }
        }
    }

    struct Verification: Encodable {
        var lost: Int
        var duplicated: Int
        var reordered: Int
        var contradicted: Int
        var unknownInLog: Int

        private enum CodingKeys: String, CodingKey {
            case lost, duplicated, reordered, contradicted
            case unknownInLog = "unknown_in_log"
        }
    }

    var bench: LogBenchCircumstances
    /// Appends per second that were asked for, and that were acknowledged.
    var rate: UInt64
    var recordsPerSecond: Int
    var clients: Int
    var size: Int
    var policy: String
    var acknowledged: Int
    var refused: Int
    var unknown: Int
    var notBegun: Int
    var retries: Int
    /// Milliseconds.
    var longestGap: Double
    /// From the moment at which each append was due.
    var fromDue: Latency
    /// From the moment at which it was sent: what a load that waits for its answers would show.
    var fromSending: Latency
    var verification: Verification?

    private enum CodingKeys: String, CodingKey {
        case bench, rate, clients, size, policy, acknowledged, refused, unknown, retries, verification
        case recordsPerSecond = "records_per_second"
        case notBegun = "not_begun"
        case longestGap = "gap_max_ms"
        case fromDue = "latency"
        case fromSending = "latency_from_sending"
    }

    init(
        _ result: PacedAppendTally.Result, bench: LogBenchCircumstances, schedule: PacedSchedule, size: Int,
        policy: String
    ) {
        self.bench = bench
        self.rate = schedule.rate
        self.recordsPerSecond = Int(Double(result.acknowledged) / max(result.seconds, 1e-9))
        self.clients = Int(schedule.callers)
        self.size = size
        self.policy = policy
        self.acknowledged = result.acknowledged
        self.refused = result.refused
        self.unknown = result.unknown
        self.notBegun = result.notBegun
        self.retries = result.retries
        self.longestGap = Double(result.gapNanoseconds) / 1e6
        self.fromDue = Latency(result.fromDue)
        self.fromSending = Latency(result.fromSending)
        self.verification = result.findings.map {
            Verification(
                lost: $0.lost, duplicated: $0.duplicated, reordered: $0.reordered, contradicted: $0.contradicted,
                unknownInLog: $0.unknownInLog)
        }
    }

    // MARK: For people

    var text: String {
        let table = Console.table(
            ["LATENCY", "P50 MS", "P90 MS", "P99 MS", "P99.9 MS", "MAX MS"],
            [["from when it was due"] + self.fromDue.cells, ["from when it was sent"] + self.fromSending.cells])
        return """
            \(self.rate)/s wanted, \(self.recordsPerSecond)/s acknowledged, of \(self.size) bytes, by \
            \(self.clients.counted("client")), fsync \(self.policy); longest gap \(self.longestGap.rounded(1)) ms
            \(table)
            \(self.outcome)
            """
    }

    /// `30000 acknowledged, 0 lost, 0 duplicated, order kept`
    private var outcome: String {
        var parts = ["\(self.acknowledged) acknowledged"]
        if let verification {
            parts += ["\(verification.lost) lost", "\(verification.duplicated) duplicated"]
            parts.append(verification.reordered == 0 ? "order kept" : "\(verification.reordered) out of order")
            if verification.contradicted > 0 { parts.append("\(verification.contradicted) refused and in the log") }
        }
        if self.refused > 0 { parts.append("\(self.refused) refused") }
        if self.unknown > 0 {
            let inLog = self.verification.map { ", of which \($0.unknownInLog) in the log" } ?? ""
            parts.append("\(self.unknown) with unknown outcome\(inLog)")
        }
        if self.notBegun > 0 { parts.append("\(self.notBegun) due and never begun: the rate is too high") }
        if self.retries > 0 { parts.append("\(self.retries.counted("attempt")) made again") }
        return parts.joined(separator: ", ")
    }
}
