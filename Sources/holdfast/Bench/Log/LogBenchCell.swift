import HoldfastNode
import LogModel
import SegmentLog

/// What one run of one cell measured.
struct LogBenchRun: Sendable {
    var recordCount: Int
    /// What was moved: records for an append or a read, the file's bytes for a recovery.
    var byteCount: Int
    var seconds: Double
    var latency: LatencySummary?
    /// Largest anonymous resident memory seen, where that is measured.
    var anonymousByteCountMax: Int?
    /// Segments that began while it ran, where that is counted.
    var rotationCount: Int?
    /// Segments of the log that was opened.
    var segmentCount: Int?

    var recordsPerSecond: Double { self.seconds > 0 ? Double(self.recordCount) / self.seconds : 0 }
    var bytesPerSecond: Double { self.seconds > 0 ? Double(self.byteCount) / self.seconds : 0 }
}

/// One line of the table: something that is run several times, in turn with the others.
protocol LogBenchCell: Sendable {
    var work: String { get }
    var policy: String { get }
    var clients: Int { get }
    /// Bytes of a record.
    var size: Int { get }

    /// Done once, before the first round; what it leaves stays until the end.
    mutating func prepare(in directory: String) async throws
    /// - Parameter directory: Empty; removed afterwards.
    func run(in directory: String) async throws -> LogBenchRun
}

extension LogBenchCell {
    mutating func prepare(in directory: String) async throws {}

    var title: String { "\(self.work), \(self.policy), \(self.clients.counted("client"))" }
}

/// How often latencies are read off the clock.
enum LatencyMode: String, CaseIterable, Sendable {
    /// Every append under `always`, one of 64 otherwise, where two looks at the clock would cost a tenth of the append.
    case sampled
    case all

    func interval(of policy: FsyncPolicy) -> Int { self == .all || policy == .always ? 1 : 64 }
}

extension FsyncPolicy {
    /// As on the command line: `always`, `batch`, `batch:10ms` or `os`.
    var name: String {
        switch self {
        case .always: "always"
        case .batch(let window): window == Self.defaultWindow ? "batch" : "batch:\(window)ms"
        case .os: "os"
        }
    }

    private static let defaultWindow: UInt64 = 5

    init?(named name: String) {
        switch name {
        case "always": self = .always
        case "os": self = .os
        case "batch": self = .batch(windowMilliseconds: Self.defaultWindow)
        default:
            guard
                name.hasPrefix("batch:"), let window = Units.milliseconds(String(name.dropFirst(6))),
                EngineLimits.batchWindowMilliseconds.contains(window)
            else { return nil }
            self = .batch(windowMilliseconds: window)
        }
    }
}
