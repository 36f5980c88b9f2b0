import Glibc
import HoldfastClient
import LogModel
import SegmentLog

/// Opening a log, each time in a process of its own, whose memory is watched.
struct LogRecoverCell: LogBenchCell {
    enum State: String, Sendable {
        /// Closed in an orderly way, many segments.
        case clean = "recover: clean stop"
        /// Killed with -9 while its last segment was nearly full, and opened at once: the disk takes most of the time.
        case killed = "recover: kill -9"
        /// The same, opened when the system had written everything back: what the scan takes by itself.
        case writtenBack = "recover: kill -9, on disk"
    }

    let state: State
    let size: Int
    let segmentByteCount: Int
    /// Of all segments of the log that was closed.
    let logByteCount: Int
    let scratch: BenchScratch
    private var log = ""

    var work: String { self.state.rawValue }
    var policy: String { FsyncPolicy.os.name }
    var clients: Int { 1 }

    init(state: State, size: Int, segmentByteCount: Int, logByteCount: Int, scratch: BenchScratch) {
        self.state = state
        self.size = size
        self.segmentByteCount = segmentByteCount
        self.logByteCount = logByteCount
        self.scratch = scratch
    }

    mutating func prepare(in directory: String) async throws {
        guard self.state == .clean else { return }
        self.log = "\(directory)/log"
        let (log, _) = try await SegmentLog.open(
            LogConfiguration(
                directory: .init(self.log), policy: .os, segmentByteCountMax: self.segmentByteCount))
        try await log.close()
        try SparseLog.grow(self.log, byteCount: self.logByteCount, segmentByteCount: self.segmentByteCount)
        // Closed by the log itself, so that DURABLE says all that a stop in good order says.
        let (grown, _) = try await SegmentLog.open(
            LogConfiguration(
                directory: .init(self.log), policy: .os, segmentByteCountMax: self.segmentByteCount))
        try await grown.close()
    }

    func run(in directory: String) async throws -> LogBenchRun {
        var log = self.log
        if self.state != .clean {
            log = "\(directory)/log"
            let (status, output) = try await self.child("fill", log, in: directory)
            guard status == -9 else {
                throw CommandFailure(.system, "the process that fills a log ended with \(status): \(output)")
            }
        }
        if self.state == .writtenBack { try Self.writeBack(log) }
        let (status, output) = try await self.child("open", log, in: directory)
        guard status == 0, let opening = JSONDocument.decode(LogOpening.self, from: output.utf8) else {
            throw CommandFailure(.system, "the process that opens a log ended with \(status): \(output)")
        }
        let microseconds = Double(opening.nanoseconds) / 1000
        return LogBenchRun(
            recordCount: opening.scannedFrameCount, byteCount: opening.scannedByteCount,
            seconds: microseconds / 1e6,
            latency: LatencySummary(p50: microseconds, p99: microseconds, max: microseconds),
            anonymousByteCountMax: opening.anonymousByteCountMax, segmentCount: opening.segmentCount)
    }

    /// Waits until the one segment of a log is on the disk.
    private static func writeBack(_ log: String) throws {
        let path = "\(log)/\(SegmentID.first.fileName)"
        let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fdatasync(descriptor) == 0 else {
            throw CommandFailure(.system, "\(path) cannot be synced: \(String(cString: strerror(errno)))")
        }
    }

    private func child(_ action: String, _ log: String, in directory: String) async throws -> (Int32, String) {
        try await self.scratch.run(
            Files.program,
            [
                "bench", "log", "child", action, log, "--size", "\(self.size)", "--segment-size",
                "\(self.segmentByteCount)",
            ], in: directory)
    }
}

/// What a process tells of how it opened a log.
struct LogOpening: Codable {
    var nanoseconds: UInt64
    var segmentCount: Int
    var scannedFrameCount: Int
    var scannedByteCount: Int
    var anonymousByteCountMax: Int
}
