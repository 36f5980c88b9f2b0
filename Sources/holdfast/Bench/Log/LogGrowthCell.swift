import LogModel
import SegmentLog

/// One step in a log that holds much already: an append, a seek, an opening.
///
/// The log is a ``SparseLog``. What is sought are the records at the beginning of its segments, which are written in full.
struct LogGrowthCell: LogBenchCell {
    enum Part: Hashable, Sendable {
        case append(FsyncPolicy)
        /// The first seek after opening: no descriptor is open, no segment's index in memory.
        case coldSeek
        /// Every segment has been sought before; the log keeps as many descriptors and indexes as it does by default.
        case warmSeek
        case open
    }

    /// What the log held before.
    struct Log: Sendable {
        var byteCount: Int
        var segmentByteCount: Int
        var segmentCount: Int { (self.byteCount + self.segmentByteCount - 1) / self.segmentByteCount }
        /// Of records that can be sought, in all segments.
        var smallCount: Int { self.segmentCount * LogGrowthCell.smallCountPerSegment }

        /// - Parameter number: Below ``smallCount``.
        func index(ofSmall number: Int) -> LogIndex {
            let (segment, place) = number.quotientAndRemainder(dividingBy: LogGrowthCell.smallCountPerSegment)
            let perSegment = LogGrowthCell.smallCountPerSegment + SparseLog.holesPerSegment
            return LogIndex.first.advanced(by: UInt64(segment * perSegment + place))
        }

        func configuration(_ directory: String, _ policy: FsyncPolicy) -> LogConfiguration {
            LogConfiguration(
                directory: .init(directory), policy: policy, segmentByteCountMax: self.segmentByteCount)
        }

        func make(at directory: String) async throws {
            let configuration = self.configuration(directory, .os)
            let (blank, _) = try await SegmentLog.open(configuration)
            try await blank.close()
            try SparseLog.grow(
                directory, byteCount: self.byteCount, segmentByteCount: self.segmentByteCount,
                smallCount: LogGrowthCell.smallCountPerSegment)
            // Closed by the log itself, so that DURABLE says all that a stop in good order says.
            let (grown, _) = try await SegmentLog.open(configuration)
            try await grown.close()
        }
    }

    /// Together some 40 KiB: less than the smallest segment has to spare.
    static let smallCountPerSegment = 256
    /// Few enough that the log stays as large as it was: 64 KiB of frames under `always`, and 1 MiB under `os`.
    private static let syncedAppendCount = 400
    private static let unsyncedAppendCount = 6_400
    /// Between opening and appending: by then the pages ahead are present, as in any log that has been open for a while.
    /// Without it a thousandth of a second of appends meets the first few, or none, by chance.
    private static let settlingMilliseconds: Int64 = 20
    private static let coldSeekCount = 32
    private static let warmSeekCount = 4_096
    private static let openingCount = 8

    let part: Part
    let size: Int
    let log: Log
    /// A log that ``Log/make(at:)`` made; appends have one of their own.
    let directory: String

    var work: String {
        switch self.part {
        case .append: "append"
        case .coldSeek: "seek: cold"
        case .warmSeek: "seek: warm"
        case .open: "open"
        }
    }
    var policy: String {
        if case .append(let policy) = self.part { policy.name } else { FsyncPolicy.os.name }
    }
    var clients: Int { 1 }

    func run(in directory: String) async throws -> LogBenchRun {
        var run =
            switch self.part {
            case .append(let policy): try await self.append(policy, in: "\(directory)/log")
            case .coldSeek: try await self.seekCold()
            case .warmSeek: try await self.seekWarm()
            case .open: try await self.open()
            }
        run.segmentCount = self.log.segmentCount
        return run
    }

    /// A clock is looked at around each append under `always`, and around 64 of them otherwise.
    private func append(_ policy: FsyncPolicy, in directory: String) async throws -> LogBenchRun {
        try await self.log.make(at: directory)
        let (log, _) = try await SegmentLog.open(self.log.configuration(directory, policy))
        let record = Record(value: BenchBytes.value(self.size))
        let count = policy == .always ? Self.syncedAppendCount : Self.unsyncedAppendCount
        let interval = LatencyMode.sampled.interval(of: policy)
        try await log.append(record)
        try await Task.sleep(for: .milliseconds(Self.settlingMilliseconds))
        var latencies = LatencyRecorder()
        let began = MonotonicClock.now
        for _ in 0..<count / interval {
            let began = MonotonicClock.now
            for _ in 0..<interval { try await log.append(record) }
            latencies.record((MonotonicClock.now - began) / UInt64(interval))
        }
        let seconds = Double(MonotonicClock.now - began) / 1e9
        try await log.close()
        return LogBenchRun(
            recordCount: count, byteCount: count * self.size, seconds: seconds, latency: latencies.summary)
    }

    private func seekCold() async throws -> LogBenchRun {
        // What was never written is in no cache before it is read for the first time, which is not what is measured.
        let (log, _) = try await SegmentLog.open(self.log.configuration(self.directory, .os))
        try await self.seekInAll(of: log)
        try await log.close()
        var latencies = LatencyRecorder()
        var sum: UInt64 = 0
        for turn in 0..<Self.coldSeekCount {
            let (log, _) = try await SegmentLog.open(self.log.configuration(self.directory, .os))
            let nanoseconds = try await self.seek(turn, in: log)
            latencies.record(nanoseconds)
            sum += nanoseconds
            try await log.close()
        }
        return self.run(count: Self.coldSeekCount, nanoseconds: sum, latencies)
    }

    private func seekWarm() async throws -> LogBenchRun {
        let (log, _) = try await SegmentLog.open(self.log.configuration(self.directory, .os))
        try await self.seekInAll(of: log)
        var latencies = LatencyRecorder()
        var sum: UInt64 = 0
        for turn in 0..<Self.warmSeekCount {
            let nanoseconds = try await self.seek(turn, in: log)
            latencies.record(nanoseconds)
            sum += nanoseconds
        }
        try await log.close()
        return self.run(count: Self.warmSeekCount, nanoseconds: sum, latencies)
    }

    private func open() async throws -> LogBenchRun {
        var latencies = LatencyRecorder()
        var sum: UInt64 = 0
        for _ in 0..<Self.openingCount {
            let began = MonotonicClock.now
            let (log, _) = try await SegmentLog.open(self.log.configuration(self.directory, .os))
            let nanoseconds = MonotonicClock.now - began
            latencies.record(nanoseconds)
            sum += nanoseconds
            try await log.close()
        }
        return self.run(count: Self.openingCount, nanoseconds: sum, latencies)
    }

    private func run(count: Int, nanoseconds: UInt64, _ latencies: LatencyRecorder) -> LogBenchRun {
        LogBenchRun(
            recordCount: count, byteCount: 0, seconds: Double(nanoseconds) / 1e9, latency: latencies.summary)
    }

    /// - Parameter turn: Decides which record: scattered over the whole log, and the same in every run.
    /// - Returns: Nanoseconds until the record is there.
    private func seek(_ turn: Int, in log: SegmentLog) async throws -> UInt64 {
        let number = (turn + 1) &* 2_654_435_761 % self.log.smallCount
        let index = self.log.index(ofSmall: number)
        let began = MonotonicClock.now
        try await Self.expect(index, in: log)
        return MonotonicClock.now - began
    }

    /// Reads the last small record of each segment, so that the way there has been gone.
    private func seekInAll(of log: SegmentLog) async throws {
        for segment in 1...self.log.segmentCount {
            try await Self.expect(self.log.index(ofSmall: segment * Self.smallCountPerSegment - 1), in: log)
        }
    }

    /// Reads the record at `index`.
    private static func expect(_ index: LogIndex, in log: SegmentLog) async throws {
        var records = try log.read(from: .index(index)).makeAsyncIterator()
        guard let found = try await records.next(), found.index == index else {
            throw CommandFailure(.damaged, "the record at \(index) was not found where it was written")
        }
    }
}
