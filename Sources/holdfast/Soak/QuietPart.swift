import HoldfastClient

/// The last part of a soak test: load and readers, and nothing happens to the nodes, so that what they take more and more of
/// shows.
///
///     mishap, got over, mishap, got over, ... | settled | load: filling | load: judged |
///
/// Rule: this load adds 2 MiB a second, whatever its rate. Why: a node keeps its newest 32 MiB of frames in memory, and one
/// that was started a moment ago grows until it has them; so it has them before the first look.
struct QuietPart {
    static let fillingMilliseconds: UInt64 = 30_000
    private static let judgedMilliseconds: ClosedRange<UInt64> = 60_000...300_000
    /// Of runs that are shorter, nothing would be left for mishaps.
    private static let runMillisecondsMin: UInt64 = 120_000
    private static let bytesPerSecond = 2 << 20
    private static let rateMin: UInt64 = 50
    private static let recordByteCountMin = 128

    /// A fifth of the run, from one minute to five: in less, what an allocator takes and gives back looks like growth.
    let judgedMilliseconds: UInt64

    /// - Parameter milliseconds: Of the whole run.
    /// - Returns: `nil` for a run of less than two minutes, which has no such part.
    init?(of milliseconds: UInt64) {
        guard milliseconds >= Self.runMillisecondsMin else { return nil }
        let bounds = Self.judgedMilliseconds
        self.judgedMilliseconds = min(max(milliseconds / 5, bounds.lowerBound), bounds.upperBound)
    }

    var milliseconds: UInt64 { Self.fillingMilliseconds + self.judgedMilliseconds }

    /// - Parameter load: That of the part before.
    /// - Returns: What became of its appends, not yet read back; and how long was judged, in seconds.
    func run(
        like load: PacedAppendRun, into tally: PacedAppendTally, _ watch: SoakWatch
    ) async throws -> (result: PacedAppendTally.Result, seconds: Double) {
        let rate = max(load.schedule.rate, Self.rateMin)
        var load = load
        load.milliseconds = self.milliseconds
        load.schedule = PacedSchedule(
            rate: rate, callers: Int(load.schedule.callers), milliseconds: self.milliseconds)
        load.size = max(Self.bytesPerSecond / Int(rate), Self.recordByteCountMin)
        let appending = load
        async let appended = appending.append(into: tally)
        try await Task.sleep(for: .milliseconds(Self.fillingMilliseconds))
        watch.beginQuiet()
        let result = try await appended
        return (result, watch.endQuiet())
    }
}

extension PacedAppendTally.Result {
    /// Of one load and of the one behind it.
    func followed(by next: Self) -> Self {
        var both = self
        both.acknowledged += next.acknowledged
        both.refused += next.refused
        both.unknown += next.unknown
        both.notBegun += next.notBegun
        both.retries += next.retries
        both.failure = self.failure ?? next.failure
        both.gapNanoseconds = max(self.gapNanoseconds, next.gapNanoseconds)
        both.seconds += next.seconds
        if let own = self.findings, let later = next.findings { both.findings = own + later }
        return both
    }
}

extension AppendLedger.Findings {
    fileprivate static func + (one: Self, other: Self) -> Self {
        var both = one
        both.lost += other.lost
        both.duplicated += other.duplicated
        both.reordered += other.reordered
        both.contradicted += other.contradicted
        both.unknownInLog += other.unknownInLog
        return both
    }
}
