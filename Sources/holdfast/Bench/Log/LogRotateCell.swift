import Glibc
import LogModel
import SegmentLog

/// One client whose every append is timed, while segments fill; or, as a control, while none does.
struct LogRotateCell: LogBenchCell {
    enum Part: String, Sendable {
        /// All appends of a run with rotations.
        case all = "rotate"
        /// Only those that began a segment.
        case rotating = "rotate: those that meet one"
        /// All appends of a run in one large segment.
        case control = "rotate: control, none"
    }

    let part: Part
    let fsync: FsyncPolicy
    let size: Int
    let batch: Int
    let milliseconds: UInt64
    let segmentByteCount: Int
    /// Appends per second; `nil` is as fast as it goes.
    let rate: Int?

    var work: String { self.part.rawValue }
    var policy: String { self.fsync.name }
    var clients: Int { 1 }

    private static let controlByteCount = 2 << 30

    func run(in directory: String) async throws -> LogBenchRun {
        let (log, _) = try await SegmentLog.open(
            LogConfiguration(
                directory: .init("\(directory)/log"), policy: self.fsync,
                segmentByteCountMax: self.part == .control ? Self.controlByteCount : self.segmentByteCount))
        let records = [Record](repeating: Record(value: BenchBytes.value(self.size)), count: self.batch)
        var latencies = LatencyRecorder()
        var count = 0
        var rotations = 0
        var segment = log.tail.segment
        let began = MonotonicClock.now
        let deadline = began + self.milliseconds * 1_000_000
        var now = began
        while now < deadline {
            let appended = try await log.append(contentsOf: records)
            let after = MonotonicClock.now
            let isRotation = appended.position.segment != segment
            segment = appended.position.segment
            rotations += isRotation ? 1 : 0
            if self.part != .rotating || isRotation { latencies.record(after - now) }
            count += 1
            now = after
            if let rate { now = Self.wait(until: began + UInt64(count) * 1_000_000_000 / UInt64(rate), now: now) }
        }
        let seconds = Double(MonotonicClock.now - began) / 1e9
        try await log.close()
        return LogBenchRun(
            recordCount: count * self.batch, byteCount: count * self.batch * self.size, seconds: seconds,
            latency: latencies.summary, rotationCount: rotations)
    }

    /// Sleeps when there is a millisecond or more to sleep: appends come in small bursts, and not one by one.
    private static func wait(until due: UInt64, now: UInt64) -> UInt64 {
        guard due > now + 1_000_000 else { return now }
        var time = timespec(tv_sec: 0, tv_nsec: Int(due - now))
        nanosleep(&time, nil)
        return MonotonicClock.now
    }
}
