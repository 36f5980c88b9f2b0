import HoldfastClient

/// The last part of a soak test: load and readers, and nothing happens to the nodes, so that what they take more and more of
/// shows.
///
///     mishap, got over, mishap, got over, ... | settled | load: filling | load: judged |
///
/// Rule: this load adds 2 MiB a second, whatever its rate. Why: nodes are to be full, as ``QuietFilling`` has it, before the first
/// look. Where the disk is so slow that they are not in time, growth is not judged.
struct QuietPart {
    enum Growth {
        /// For so long. How much each process grew stands in ``SoakWatch/usages``.
        case judged(seconds: Double)
        /// Not judged: so many bytes of records were acknowledged in so long, and nodes were to be full in `secondsMax`.
        case tooSlow(byteCount: Int, seconds: Double, secondsMax: UInt64)
    }

    struct Findings {
        var load: PacedAppendTally.Result
        /// Of all records that were acknowledged.
        var byteCount: Int
        var growth: Growth
    }

    private static let judgedMilliseconds: ClosedRange<UInt64> = 60_000...300_000
    /// Of runs that are shorter, nothing would be left for mishaps.
    private static let runMillisecondsMin: UInt64 = 120_000
    private static let bytesPerSecond = 2 << 20
    private static let rateMin: UInt64 = 50
    private static let recordByteCountMin = 128
    private static let lookInterval = Duration.milliseconds(250)

    let milliseconds: UInt64
    private let filling: QuietFilling

    /// - Parameter milliseconds: Of the whole run.
    /// - Returns: `nil` for a run of less than two minutes, which has no such part.
    init?(of milliseconds: UInt64) {
        guard milliseconds >= Self.runMillisecondsMin else { return nil }
        // A fifth of the run, from one minute to five: in less, what an allocator takes and gives back looks like growth.
        let bounds = Self.judgedMilliseconds
        let judged = min(max(milliseconds / 5, bounds.lowerBound), bounds.upperBound)
        self.milliseconds = QuietFilling.millisecondsMin + judged
        self.filling = QuietFilling(millisecondsMax: self.milliseconds - bounds.lowerBound)
    }

    /// - Parameter load: That of the part before.
    /// - Returns: Its appends are not yet read back.
    func run(like load: PacedAppendRun, into tally: PacedAppendTally, _ watch: SoakWatch) async throws -> Findings {
        let rate = max(load.schedule.rate, Self.rateMin)
        var load = load
        load.milliseconds = self.milliseconds
        load.schedule = PacedSchedule(
            rate: rate, callers: Int(load.schedule.callers), milliseconds: self.milliseconds)
        load.size = max(Self.bytesPerSecond / Int(rate), Self.recordByteCountMin)
        let appending = load
        async let appended = appending.append(into: tally)
        let tooSlow = try await self.fill(tally, recordByteCount: load.size)
        if tooSlow == nil { watch.beginQuiet() }
        let result = try await appended
        return Findings(
            load: result, byteCount: result.acknowledged * load.size,
            growth: tooSlow ?? .judged(seconds: watch.endQuiet()))
    }

    /// - Returns: Once nodes are full, or with how far they came when it is too late.
    private func fill(_ tally: PacedAppendTally, recordByteCount: Int) async throws -> Growth? {
        let began = ContinuousClock.now
        while true {
            let elapsed = began.duration(to: .now)
            let byteCount = tally.acknowledgedCount * recordByteCount
            switch self.filling.state(acknowledged: byteCount, after: UInt64(elapsed.milliseconds)) {
            case .filling: try await Task.sleep(for: Self.lookInterval)
            case .full: return nil
            case .tooSlow:
                return .tooSlow(
                    byteCount: byteCount, seconds: elapsed.seconds, secondsMax: self.filling.millisecondsMax / 1000)
            }
        }
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
        both.silenceNanoseconds = max(self.silenceNanoseconds, next.silenceNanoseconds)
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
