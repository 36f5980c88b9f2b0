import Foundation
import LogModel
import SegmentLog
import SystemPackage

/// A directory with a log that processes write to and are killed over, and what was acknowledged so far.
struct KilledLog {
    typealias Failed = WorkloadProcess.Failed

    let directory: String
    let policy: String
    /// Not yet found in the log.
    private var acknowledged: [UInt64: UInt64] = [:]
    /// Records below were found and right.
    private var checkedBelow = LogIndex.first
    private var runs = 0
    private(set) var acknowledgedCount = 0

    init(directory: String, policy: String) {
        self.directory = directory
        self.policy = policy
    }

    private var logDirectory: String { "\(self.directory)/log" }
    var configuration: LogConfiguration {
        LogConfiguration(directory: FilePath(self.logDirectory), segmentByteCountMax: 1 << 20)
    }

    mutating func start(writers: Int, mode: String = "append", tracer: [String] = []) throws -> WorkloadProcess {
        self.runs += 1
        return try WorkloadProcess(
            self.logDirectory, self.policy, writers: writers, mode: mode, output: "\(self.directory)/said-\(self.runs)",
            tracer: tracer)
    }

    /// Takes note of what a process said that has ended.
    mutating func note(_ process: WorkloadProcess) throws -> [WorkloadProcess.Line] {
        let lines = try process.lines()
        for line in lines {
            switch line {
            case .opened(let next):
                // Everything acknowledged before is there already for the next opener.
                if let last = self.acknowledged.keys.max(), next <= last {
                    throw Failed("opened with \(next) as the next index; \(last) had been acknowledged")
                }
            case .acknowledged(let index, let checksum):
                guard self.acknowledged.updateValue(checksum, forKey: index) == nil, index >= self.checkedBelow.rawValue
                else { throw Failed("index \(index) was acknowledged twice") }
                self.acknowledgedCount += 1
            case .refused, .closed: break
            }
        }
        return lines
    }

    /// Opens the log in this process: everything acknowledged is there, with its bytes; indexes have no gap; and every
    /// other record is one that the workload makes.
    @discardableResult
    mutating func check(from start: LogIndex? = nil) async throws -> RecoveryReport {
        let (log, report) = try await SegmentLog.open(self.configuration)
        var next = start ?? self.checkedBelow
        for try await found in try log.read(from: .index(next)) {
            guard found.index == next else { throw Failed("index \(found.index) instead of \(next)") }
            next = next.advanced(by: 1)
            let value = found.record.value
            guard Self.isWhole(value) else { throw Failed("index \(found.index) holds what nobody appended") }
            guard let checksum = self.acknowledged.removeValue(forKey: found.index.rawValue) else { continue }
            guard checksum == Self.checksum(value) else {
                throw Failed("index \(found.index) is not what was acknowledged")
            }
        }
        guard next == log.nextIndex else { throw Failed("reading ends at \(next), the log at \(log.nextIndex)") }
        if let lost = self.acknowledged.keys.min() {
            throw Failed(
                "\(self.acknowledged.count) acknowledged records are lost, from \(lost); the log ends at \(next)")
        }
        self.checkedBelow = next
        try await log.close()
        return report
    }

    /// Each byte of a value is one more than the byte before.
    private static func isWhole(_ value: Bytes) -> Bool {
        zip(value, value.dropFirst()).allSatisfy { $0 &+ 1 == $1 }
    }

    /// As the workload computes it.
    private static func checksum(_ value: Bytes) -> UInt64 {
        value.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }

    // MARK: The directory of one test

    static func with(_ policy: String, _ body: (inout KilledLog) async throws -> Void) async throws {
        let parent = FileManager.default.temporaryDirectory.path
        let directory = "\(parent)/log-process-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var log = KilledLog(directory: directory, policy: policy)
        try await body(&log)
    }
}
