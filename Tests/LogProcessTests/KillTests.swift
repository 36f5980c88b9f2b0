import Foundation
import SegmentLog
import Testing

/// Real processes with a log, ended by SIGKILL: nothing that an append returned for is lost, under any policy.
///
/// `HOLDFAST_KILLS=10000` kills more often.
@Suite(.timeLimit(.minutes(30))) struct `A killed process with a log` {
    /// For each policy.
    private static let kills =
        ProcessInfo.processInfo.environment["HOLDFAST_KILLS"].flatMap { Int($0) }.map { $0 / 3 } ?? 67

    @Test(arguments: ["always", "batch", "os"])
    func `loses nothing that was acknowledged, whenever it is killed`(_ policy: String) async throws {
        try await KilledLog.with(policy) { log in
            var hasCrashed = 0
            for round in 1...Self.kills {
                do {
                    try await Self.killOnce(&log)
                    // Otherwise the next process finds what this one left, and recovers it before it is killed too.
                    if round % 3 == 0, try await !log.check().wasClosedCleanly { hasCrashed += 1 }
                } catch {
                    Issue.record("\(policy), round \(round): \(error)")
                    return
                }
            }
            // All of it once more, from the first record.
            try await log.check(from: .first)
            #expect(hasCrashed > 0 && log.acknowledgedCount > Self.kills)
        }
    }

    /// Starts a process and kills it: while it opens or recovers, appends, or closes.
    private static func killOnce(_ log: inout KilledLog) async throws {
        let moment = Int.random(in: 0..<10)
        let process = try log.start(writers: [1, 4, 16].randomElement() ?? 1, mode: moment < 2 ? "close" : "append")
        switch moment {
        case 0, 1:
            try await process.awaitLines(.random(in: 1...50))
            try process.askToClose()
            try await Task.sleep(for: .microseconds(Int.random(in: 0...3_000)))
        case 2, 3:
            try await Task.sleep(for: .microseconds(Int.random(in: 5_000...40_000)))
        default:
            try await process.awaitLines(.random(in: 2...400))
        }
        process.kill()
        for line in try log.note(process) {
            if case .refused(let errno) = line, errno != 0 {
                throw WorkloadProcess.Failed("refused with errno \(errno)")
            }
        }
    }

    @Test(arguments: ["always", "batch", "os"])
    func `that was asked to close marks a clean stop`(_ policy: String) async throws {
        try await KilledLog.with(policy) { log in
            let process = try log.start(writers: 8, mode: "close")
            try await process.awaitLines(100)
            try process.askToClose()
            #expect(try await process.awaitEnd() == .exited(0))
            #expect(try log.note(process).contains(.closed))
            #expect(try await log.check().wasClosedCleanly)
        }
    }
}
