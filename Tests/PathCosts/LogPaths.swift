import Glibc
import LogModel
import SegmentLog

/// A log of records of 100 bytes that nobody syncs, unless its path says so: what counts is what the engine does by itself.
private func openLog(_ directory: String, policy: FsyncPolicy = .os) async throws -> SegmentLog {
    try await SegmentLog.open(
        LogConfiguration(directory: .init("\(directory)/log"), policy: policy, segmentByteCountMax: 64 << 20)
    ).log
}

private let record = Record(value: Bytes(repeating: 0x61, count: 100))
private let batchRecordCount = 1_000

/// One caller that appends single records.
enum AppendPath: CountedPath {
    static let name = "append"

    static func run(count: Int, in directory: String) async throws {
        let log = try await openLog(directory)
        for _ in 0..<count { _ = try await log.append(record) }
        try await log.close()
    }
}

/// One caller that appends single records, each synced before it is acknowledged, as nodes do.
enum SyncedAppendPath: CountedPath {
    static let name = "append-always"

    static func run(count: Int, in directory: String) async throws {
        let log = try await openLog(directory, policy: .always)
        for _ in 0..<count { _ = try await log.append(record) }
        try await log.close()
    }
}

/// One caller that appends batches.
enum BatchPath: CountedPath {
    static let name = "append-batch"

    static func run(count: Int, in directory: String) async throws {
        let log = try await openLog(directory)
        let records = [Record](repeating: record, count: batchRecordCount)
        for _ in 0..<count / batchRecordCount { _ = try await log.append(contentsOf: records) }
        try await log.close()
    }
}

/// One reader from the first record to the last, decoded and verified.
enum ReadPath: CountedPath {
    static let name = "read"

    static func prepare(count: Int, in directory: String) async throws {
        try await AppendPath.run(count: count, in: directory)
    }

    static func run(count: Int, in directory: String) async throws {
        let log = try await openLog(directory)
        var read = 0
        for try await record in try log.read() { read += record.record.value.count / 100 }
        precondition(read == count, "\(read) of \(count) records read")
        try await log.close()
    }
}

/// Opening a log whose process was killed: its active segment is scanned.
enum RecoverPath: CountedPath {
    static let name = "recover"

    static func prepare(count: Int, in directory: String) async throws {
        let log = try await openLog(directory)
        for _ in 0..<count { _ = try await log.append(record) }
        kill(getpid(), SIGKILL)
    }

    static func run(count: Int, in directory: String) async throws {
        let log = try await openLog(directory)
        precondition(log.nextIndex.rawValue == UInt64(count) + 1, "\(log.nextIndex) after \(count) records")
        exit(0)
    }
}
