import LogModel

/// Both say the same; OpenMetrics names counters without their `_total` and has an end.
enum ExpositionFormat {
    /// Prometheus' text format, version 0.0.4.
    case prometheus
    /// Version 1.0.0.
    case openMetrics

    var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }
}

/// Writes what a scraper reads: every family once, with HELP and TYPE before its samples.
///
/// Names have the prefix `holdfast_` and their unit; counters end in `_total`. Numbers that a scraper has to keep exactly
/// are written as whole ones.
struct ExpositionWriter {
    typealias Labels = [(name: String, value: String)]

    private let format: ExpositionFormat
    private(set) var text = ""

    init(_ format: ExpositionFormat) { self.format = format }

    /// All of it, when nothing comes any more.
    var finished: String { self.format == .openMetrics ? self.text + "# EOF\n" : self.text }

    mutating func gauge(_ name: String, _ help: String, _ value: (some BinaryInteger)?) {
        self.gauge(name, help, [([], value.map { "\($0)" })])
    }

    mutating func gauge(_ name: String, _ help: String, _ samples: [(Labels, String?)]) {
        self.family(name, help, type: "gauge", samples)
    }

    mutating func counter(_ name: String, _ help: String, _ value: (some BinaryInteger)?) {
        self.counter(name, help, [([], value.map { "\($0)" })])
    }

    mutating func counter(_ name: String, _ help: String, _ samples: [(Labels, String?)]) {
        self.family(name, help, type: "counter", samples)
    }

    /// Cumulative counts, as Prometheus wants them; bounds and the sum in seconds.
    mutating func histogram(_ name: String, _ help: String, _ series: [(Labels, LatencyHistogram)]) {
        guard !series.isEmpty else { return }
        self.begin(name, help, type: "histogram")
        for (labels, histogram) in series {
            var count: UInt64 = 0
            for (bound, here) in zip(LatencyHistogram.bounds, histogram.counts) {
                count += here
                self.sample(name + "_bucket", labels + [("le", Self.seconds(bound))], "\(count)")
            }
            self.sample(name + "_bucket", labels + [("le", "+Inf")], "\(histogram.count)")
            self.sample(name + "_sum", labels, Self.seconds(histogram.sumNanoseconds))
            self.sample(name + "_count", labels, "\(histogram.count)")
        }
    }

    static func seconds(_ nanoseconds: UInt64) -> String { "\(Double(nanoseconds) / 1e9)" }

    /// A value that is not known has no sample, and a family without samples is not named.
    private mutating func family(_ name: String, _ help: String, type: String, _ samples: [(Labels, String?)]) {
        let known = samples.compactMap { labels, value in value.map { (labels, $0) } }
        guard !known.isEmpty else { return }
        let sampled = type == "counter" ? name + "_total" : name
        self.begin(self.format == .openMetrics ? name : sampled, help, type: type)
        for (labels, value) in known { self.sample(sampled, labels, value) }
    }

    private mutating func begin(_ name: String, _ help: String, type: String) {
        self.text += "# HELP holdfast_\(name) \(help)\n# TYPE holdfast_\(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ labels: Labels, _ value: String) {
        let list = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        self.text += "holdfast_\(name)\(list.isEmpty ? "" : "{\(list)}") \(value)\n"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
