import Glibc
import LogModel
import SegmentFormat

/// What the system calls alone give: one thread that writes as many bytes as a frame has, one after the other, into a file
/// that was zeroed before; under `always` with an fdatasync after each. Ratios to it outlive the machine's moods.
struct BareLoopCell: LogBenchCell {
    let fsync: FsyncPolicy
    let size: Int
    let batch: Int
    let milliseconds: UInt64

    static let workPrefix = "bare"
    var work: String { "\(Self.workPrefix) pwrite\(self.isSynced ? " + fdatasync" : "")" }
    var policy: String { self.fsync.name }
    var clients: Int { 1 }

    private static let fileByteCount = 16 << 20
    private static let zerosByteCount = 64 << 10

    private var isSynced: Bool { self.fsync == .always }

    func run(in directory: String) async throws -> LogBenchRun {
        let path = "\(directory)/bare"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure(path) }
        defer { close(descriptor) }
        let zeros = [UInt8](repeating: 0, count: Self.zerosByteCount)
        for offset in stride(from: 0, to: Self.fileByteCount, by: zeros.count) {
            guard pwrite(descriptor, zeros, zeros.count, offset) == zeros.count else { throw Self.failure(path) }
        }
        guard fdatasync(descriptor) == 0 else { throw Self.failure(path) }
        let frame = Array(BenchBytes.value(FrameHeader.byteCount + self.batch * (self.size + 3)))
        var latencies = LatencyRecorder()
        var count = 0
        var offset = 0
        let began = MonotonicClock.now
        let deadline = began + self.milliseconds * 1_000_000
        let interval = LatencyMode.sampled.interval(of: self.fsync)
        while true {
            let before = MonotonicClock.now
            guard before < deadline else { break }
            for number in 0..<interval {
                if offset + frame.count > Self.fileByteCount { offset = 0 }
                guard pwrite(descriptor, frame, frame.count, offset) == frame.count,
                    !self.isSynced || fdatasync(descriptor) == 0
                else { throw Self.failure(path) }
                offset += frame.count
                if number == 0 { latencies.record(MonotonicClock.now - before) }
            }
            count += interval
        }
        let seconds = Double(MonotonicClock.now - began) / 1e9
        return LogBenchRun(
            recordCount: count * self.batch, byteCount: count * self.batch * self.size, seconds: seconds,
            latency: latencies.summary)
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(
            .system, "cannot write \(path): \(String(cString: strerror(errno)))", next: "choose another --dir")
    }
}
