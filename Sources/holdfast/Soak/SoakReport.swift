import HoldfastClient

/// What a soak test found; the names are those of its JSON and stay as they are.
struct SoakReport: Encodable {
    struct Count: Encodable {
        var mishap: String
        var count: Int
    }

    /// What one node has, or one reader has read.
    struct Log: Encodable {
        var name: String
        var records: UInt64
        var outOfTurn: Int
        /// How often a reader was told that what came next was trimmed.
        var trims: Int
        /// Equal for equal logs, within one run.
        var digest: String

        private enum CodingKeys: String, CodingKey {
            case name, records, trims, digest
            case outOfTurn = "out_of_turn"
        }

        init(name: String, _ seen: ReadLedger) {
            self.name = name
            self.records = seen.count
            self.outOfTurn = seen.outOfTurn
            self.trims = seen.trimCount
            self.digest = String(UInt64(bitPattern: Int64(seen.digest)), radix: 16)
        }
    }

    struct Limits: Encodable {
        var anonymousByteCount: Int
        var descriptorCount: Int
        /// Each minute of the quiet part. A leak of 100 KB a second is twice that; what a steady node takes and gives back is
        /// below 1 MiB.
        var anonymousByteCountPerMinute = 3 << 20
        /// One that is left open every five seconds; a few come and go with segments and connections.
        var descriptorCountPerMinute = 12
        /// Appends of which nobody knows what became. Producers try again for 20 s, and all that happens is got over before:
        /// what remains is an append whose answer was lost, and which then met a leader without room.
        var unknownCount = 0
        /// Without any acknowledgement: as long as a producer tries.
        var gapMilliseconds = 20_000

        private enum CodingKeys: String, CodingKey {
            case anonymousByteCount = "anonymous_bytes"
            case descriptorCount = "descriptors"
            case anonymousByteCountPerMinute = "anonymous_bytes_per_minute"
            case descriptorCountPerMinute = "descriptors_per_minute"
            case unknownCount = "unknown"
            case gapMilliseconds = "gap_ms"
        }
    }

    var seed: UInt64
    var limits: Limits
    var mishaps: [Count] = []
    /// Those that were tried, and came to nothing, since another node led each time.
    var missed: [Count] = []
    /// Mishaps that could not be made here.
    var omitted: [String] = []
    /// Where the log begins at the end, and how many records it has from there on.
    var firstIndex: UInt64 = 1
    var records: UInt64 = 0
    /// What began before where it had begun already, in words.
    var retreats: [String] = []
    var logs: [Log] = []
    var usages: [SoakWatch.Usage] = []
    /// Nodes whose directory holds damage at the end.
    var damaged: [String] = []
    /// While mishaps happened.
    var load = PacedAppendTally.Result()
    /// What came behind it; `nil` in a run that was too short for that.
    var quiet: QuietPart.Findings?

    /// Of both parts.
    private var total: PacedAppendTally.Result { self.quiet.map { self.load.followed(by: $0.load) } ?? self.load }

    init(seed: UInt64, limits: Limits) {
        self.seed = seed
        self.limits = limits
    }

    private enum CodingKeys: String, CodingKey {
        case seed, limits, mishaps, missed, omitted, records, retreats, logs, damaged, acknowledged, refused, unknown,
            lost,
            duplicated, reordered
        case contradicted, problems
        case usages = "nodes"
        case retried = "retries"
        case notBegun = "not_begun"
        case longestGap = "gap_max_ms"
        case quietSeconds = "quiet_seconds"
        case quietByteCount = "quiet_bytes"
        case firstIndex = "first_index"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.seed, forKey: .seed)
        try container.encode(self.mishaps, forKey: .mishaps)
        try container.encode(self.missed, forKey: .missed)
        try container.encode(self.omitted, forKey: .omitted)
        try container.encode(self.firstIndex, forKey: .firstIndex)
        try container.encode(self.records, forKey: .records)
        try container.encode(self.retreats, forKey: .retreats)
        let load = self.total
        try container.encode(load.acknowledged, forKey: .acknowledged)
        try container.encode(load.refused, forKey: .refused)
        try container.encode(load.unknown, forKey: .unknown)
        try container.encode(load.notBegun, forKey: .notBegun)
        try container.encode(load.retries, forKey: .retried)
        try container.encode(Self.longestGapMilliseconds(of: load), forKey: .longestGap)
        try container.encode(self.judgedSeconds, forKey: .quietSeconds)
        try container.encodeIfPresent(self.quiet?.byteCount, forKey: .quietByteCount)
        try container.encode(load.findings?.lost, forKey: .lost)
        try container.encode(load.findings?.duplicated, forKey: .duplicated)
        try container.encode(load.findings?.reordered, forKey: .reordered)
        try container.encode(load.findings?.contradicted, forKey: .contradicted)
        try container.encode(self.logs, forKey: .logs)
        try container.encode(self.damaged, forKey: .damaged)
        try container.encode(self.usages, forKey: .usages)
        try container.encode(self.limits, forKey: .limits)
        try container.encode(self.problems, forKey: .problems)
    }

    private static func longestGapMilliseconds(of load: PacedAppendTally.Result) -> Double {
        Double(load.silenceNanoseconds) / 1e6
    }

    /// How long growth was judged; 0 when it was not.
    private var judgedSeconds: Double {
        guard case .judged(let seconds) = self.quiet?.growth else { return 0 }
        return seconds
    }

    /// How often a mishap happened, or was tried.
    func count(of mishap: Mishap) -> Int {
        (self.mishaps + self.missed).filter { $0.mishap == mishap.rawValue }.reduce(0) { $0 + $1.count }
    }

    /// What this run has tested.
    private var coverage: MishapCoverage {
        func byKind(_ counts: [Count]) -> [String: Int] {
            Dictionary(counts.map { ($0.mishap, $0.count) }, uniquingKeysWith: +)
        }
        return MishapCoverage(
            possible: Mishap.allCases.map(\.rawValue).filter { !self.omitted.contains($0) },
            made: byKind(self.mishaps), missed: byKind(self.missed))
    }

    // MARK: What is wrong

    /// In words; none when all is as it should be.
    var problems: [String] {
        var problems: [String] = []
        let load = self.total
        switch load.findings {
        case nil: problems.append("the log was not read back")
        case let findings? where !findings.isGood:
            problems.append(
                "\(findings.lost) lost, \(findings.duplicated) duplicated, \(findings.reordered) out of order, "
                    + "\(findings.contradicted) refused and in the log")
        default: break
        }
        for log in self.logs {
            if log.outOfTurn > 0 { problems.append("\(log.name): \(log.outOfTurn) records out of turn") }
            if log.records != self.records {
                problems.append("\(log.name) has \(log.records) records of \(self.records)")
            }
        }
        if Set(self.logs.map(\.digest)).count > 1 { problems.append("not everybody has read the same records") }
        problems += self.retreats
        problems += self.damaged.map { "\($0) has damage in its directory" }
        if load.unknown > self.limits.unknownCount {
            problems.append("\(load.unknown) appends have an unknown outcome, and \(self.limits.unknownCount) may")
        }
        problems += self.problems(of: self.load, "while mishaps happened")
        if let quiet { problems += self.problems(of: quiet.load, "in the quiet part") }
        problems += self.coverage.problems
        return problems + self.usages.flatMap { self.problems(of: $0) }
    }

    /// One part alone: it has tested nothing when nothing was acknowledged in it, however short it was.
    private func problems(of load: PacedAppendTally.Result, _ part: String) -> [String] {
        guard load.acknowledged > 0 else {
            return ["nothing was acknowledged \(part)" + (load.failure.map { "; the first that failed: \($0)" } ?? "")]
        }
        let milliseconds = Self.longestGapMilliseconds(of: load)
        guard milliseconds > Double(self.limits.gapMilliseconds) else { return [] }
        return ["nothing was acknowledged for \((milliseconds / 1000).rounded(1)) s \(part)"]
    }

    private func problems(of usage: SoakWatch.Usage) -> [String] {
        var problems: [String] = []
        if usage.anonymousByteCountMax > self.limits.anonymousByteCount {
            problems.append("n\(usage.node) took \(usage.anonymousByteCountMax >> 20) MiB of memory")
        }
        if usage.descriptorCountMax > self.limits.descriptorCount {
            problems.append("n\(usage.node) had \(usage.descriptorCountMax) descriptors open")
        }
        if let growth = usage.anonymousByteCountPerMinute, growth > Double(self.limits.anonymousByteCountPerMinute) {
            problems.append(
                "n\(usage.node) took \(Self.mebibytes(growth)) MiB of memory more each minute, with nothing but its work"
            )
        }
        if let growth = usage.descriptorCountPerMinute, growth > Double(self.limits.descriptorCountPerMinute) {
            problems.append(
                "n\(usage.node) opened \(growth.rounded(0)) descriptors more each minute, with nothing but its work")
        }
        if usage.unexpectedStarts > 0 { problems.append("n\(usage.node) ended by itself, with nothing but its work") }
        return problems
    }

    private static func mebibytes(_ byteCount: Double) -> String { (byteCount / 1_048_576).rounded(1) }

    // MARK: For people

    func text(_ console: Console) -> String {
        let load = self.total
        let findings = load.findings
        var lines = self.mishaps.map { "\($0.count) x \($0.mishap)" }
        lines += self.missed.map { "\($0.count) x tried in vain: \($0.mishap)" }
        lines += self.omitted.map { "left out: \($0)" }
        lines.append(self.coverage.summary)
        lines.append("the log begins at \(self.firstIndex) and has \(self.records) records")
        lines.append(
            "\(load.acknowledged) acknowledged, \(findings?.lost ?? 0) lost, \(findings?.duplicated ?? 0) duplicated, "
                + "\(load.refused) refused, \(load.unknown) with unknown outcome, "
                + "\(load.retries.counted("attempt")) made again; longest gap "
                + "\(Self.longestGapMilliseconds(of: load).rounded(0)) ms")
        lines.append(self.growthText)
        lines.append(
            Console.table(
                ["LOG", "RECORDS", "OUT OF TURN", "TRIMMED", "DIGEST"],
                self.logs.map { [$0.name, "\($0.records)", "\($0.outOfTurn)", "\($0.trims)", $0.digest] }))
        lines.append(
            Console.table(
                ["NODE", "MEMORY MIB", "AT MOST", "PER MINUTE", "DESCRIPTORS", "AT MOST", "PER MINUTE"],
                self.usages.map { usage in
                    [
                        "n\(usage.node)", "\(usage.anonymousByteCount >> 20)", "\(usage.anonymousByteCountMax >> 20)",
                        usage.anonymousByteCountPerMinute.map(Self.mebibytes) ?? "-",
                        "\(usage.descriptorCount)", "\(usage.descriptorCountMax)",
                        usage.descriptorCountPerMinute.map { $0.rounded(0) } ?? "-",
                    ]
                }))
        lines += self.problems.map { console.coloured($0, .red) }
        if self.problems.isEmpty { lines.append(console.coloured("all is as it should be", .green)) }
        return lines.joined(separator: "\n")
    }

    private var growthText: String {
        switch self.quiet?.growth {
        case nil: "growth was not judged: that takes a run of two minutes or more"
        case .judged(let seconds): "growth was judged over \(seconds.rounded(0)) s in which nothing happened"
        case .tooSlow(let byteCount, let seconds, let secondsMax):
            "too slow to judge growth: \(Self.mebibytes(Double(byteCount))) MiB were acknowledged in "
                + "\(seconds.rounded(0)) s in which nothing happened, and it takes "
                + "\(QuietFilling.byteCountMin >> 20) within \(secondsMax) s"
        }
    }
}
