import LogModel

/// Writes Prometheus' text format, version 0.0.4: every family once, with HELP and TYPE before its samples.
///
/// Names have the prefix `holdfast_` and their unit; counters end in `_total`. Numbers that a scraper has to keep exactly
/// are written as whole ones.
struct ExpositionWriter {
    typealias Labels = [(name: String, value: String)]

    private(set) var text = ""

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
        self.family(name + "_total", help, type: "counter", samples)
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
        self.begin(name, help, type: type)
        for (labels, value) in known { self.sample(name, labels, value) }
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
