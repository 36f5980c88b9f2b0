import DiskIO
import Glibc
import LogModel
import Testing

@testable import SegmentLog

@Suite(.timeLimit(.minutes(1))) struct `A log on the machine's own disk` {
    @Test(arguments: [FsyncPolicy.always, .batch(windowMilliseconds: 1), .os])
    func `survives closing and opening, with rotations`(_ policy: FsyncPolicy) async throws {
        try await TemporaryDirectory.with { directory in
            var configuration = LogConfiguration(directory: directory.appending("log"), policy: policy)
            configuration.allowsSmallSegments = true
            configuration.segmentByteCountMax = 16 << 10
            let (log, report) = try await SegmentLog.open(configuration)
            #expect(report.starts == 1)
            try await withThrowingTaskGroup { group in
                for task in 0..<4 {
                    group.addTask {
                        for number in 0..<50 {
                            try await log.append(Record(EngineHarness.value(number, prefix: "\(task)-")))
                        }
                    }
                }
                for try await _ in group {}
            }
            await #expect(throws: LogError.locked(holder: "pid \(getpid())")) {
                try await SegmentLog.open(configuration)
            }
            try await log.close()
            let (again, second) = try await SegmentLog.open(configuration)
            #expect(second.wasClosedCleanly && second.starts == 2 && second.segmentCount > 1)
            var count = 0
            for try await _ in try again.read() { count += 1 }
            #expect(count == 200)
            try await again.close()
        }
    }
}
