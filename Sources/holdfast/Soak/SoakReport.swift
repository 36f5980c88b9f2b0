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
    /// How long nothing happened at the end, and growth was judged; 0 in a run that was too short for that.
    var quietSeconds = 0.0
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
    var load = PacedAppendTally.Result()

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
        try container.encode(self.load.acknowledged, forKey: .acknowledged)
        try container.encode(self.load.refused, forKey: .refused)
        try container.encode(self.load.unknown, forKey: .unknown)
        try container.encode(self.load.notBegun, forKey: .notBegun)
        try container.encode(self.load.retries, forKey: .retried)
        try container.encode(self.longestGapMilliseconds, forKey: .longestGap)
        try container.encode(self.quietSeconds, forKey: .quietSeconds)
        let findings = self.load.findings
        try container.encode(findings?.lost, forKey: .lost)
        try container.encode(findings?.duplicated, forKey: .duplicated)
        try container.encode(findings?.reordered, forKey: .reordered)
        try container.encode(findings?.contradicted, forKey: .contradicted)
        try container.encode(self.logs, forKey: .logs)
        try container.encode(self.damaged, forKey: .damaged)
        try container.encode(self.usages, forKey: .usages)
        try container.encode(self.limits, forKey: .limits)
        try container.encode(self.problems, forKey: .problems)
    }

    private var longestGapMilliseconds: Double { Double(self.load.gapNanoseconds) / 1e6 }

    /// How often a mishap happened, or was tried.
    func count(of mishap: Mishap) -> Int {
        (self.mishaps + self.missed).filter { $0.mishap == mishap.rawValue }.reduce(0) { $0 + $1.count }
    }

    // MARK: What is wrong

    /// In words; none when all is as it should be.
    var problems: [String] {
        var problems: [String] = []
        switch self.load.findings {
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
        if self.load.unknown > self.limits.unknownCount {
            problems.append("\(self.load.unknown) appends have an unknown outcome, and \(self.limits.unknownCount) may")
        }
        if self.longestGapMilliseconds > Double(self.limits.gapMilliseconds) {
            problems.append("nothing was acknowledged for \((self.longestGapMilliseconds / 1000).rounded(1)) s")
        }
        return problems + self.usages.flatMap { self.problems(of: $0) }
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
        let findings = self.load.findings
        var lines = self.mishaps.map { "\($0.count) x \($0.mishap)" }
        lines += self.missed.map { "\($0.count) x tried in vain: \($0.mishap)" }
        lines += self.omitted.map { "left out: \($0)" }
        lines.append("the log begins at \(self.firstIndex) and has \(self.records) records")
        lines.append(
            "\(self.load.acknowledged) acknowledged, \(findings?.lost ?? 0) lost, \(findings?.duplicated ?? 0) duplicated, "
                + "\(self.load.refused) refused, \(self.load.unknown) with unknown outcome, "
                + "\(self.load.retries.counted("attempt")) made again; longest gap "
                + "\(self.longestGapMilliseconds.rounded(0)) ms")
        lines.append(
            self.quietSeconds > 0
                ? "growth was judged over \(self.quietSeconds.rounded(0)) s in which nothing happened"
                : "growth was not judged: that takes a run of two minutes or more")
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
}
