import LogModel
import SegmentLog

/// Readers that each read one log from its first record to its last, decoded and verified.
struct LogReadCell: LogBenchCell {
    let readers: Int
    let size: Int
    let batch: Int
    /// A log that ``makeLog(at:byteCount:size:batch:)`` made.
    let log: String

    var work: String { "read" }
    var policy: String { FsyncPolicy.os.name }
    var clients: Int { self.readers }

    func run(in directory: String) async throws -> LogBenchRun {
        let (log, _) = try await SegmentLog.open(LogConfiguration(directory: .init(self.log), policy: .os))
        let began = MonotonicClock.now
        let (records, bytes) = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for _ in 0..<self.readers {
                group.addTask {
                    var records = 0
                    var bytes = 0
                    for try await record in try log.read() {
                        records += 1
                        bytes += record.record.value.count
                    }
                    return (records, bytes)
                }
            }
            return try await group.reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
        }
        let seconds = Double(MonotonicClock.now - began) / 1e9
        try await log.close()
        return LogBenchRun(recordCount: records, byteCount: bytes, seconds: seconds)
    }

    /// Fills a log with frames of `batch` records, until they take `byteCount` bytes.
    static func makeLog(at path: String, byteCount: Int, size: Int, batch: Int) async throws {
        let (log, _) = try await SegmentLog.open(LogConfiguration(directory: .init(path), policy: .os))
        let records = [Record](repeating: Record(value: BenchBytes.value(size)), count: batch)
        var written = 0
        while written < byteCount {
            let appended = try await log.append(contentsOf: records)
            written += Int(appended.end.offset - appended.position.offset)
        }
        try await log.close()
    }
}
