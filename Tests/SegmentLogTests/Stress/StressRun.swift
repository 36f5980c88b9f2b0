import DiskIO
import Glibc
import LogModel
import SegmentLog

/// One log with many tasks at it, and what they were told and saw.
struct StressRun {
    typealias Wrong = StressSight.Wrong

    let log: SegmentLog
    let ledger = StressLedger()
    /// Set when readers and trimmers are to end.
    let isOver = Flag()

    init(_ log: SegmentLog) { self.log = log }

    /// Something that happens once.
    final class Flag: Sendable {
        private let value = Lock(false)
        func raise() { self.value.withLock { $0 = true } }
        var isRaised: Bool { self.value.withLock { $0 } || Task.isCancelled }
    }

    /// Does `body` once; again and again, for so many seconds, when `HOLDFAST_STRESS_SECONDS` says so.
    static func rounds(_ body: () async throws -> Void) async throws {
        let seconds = getenv("HOLDFAST_STRESS_SECONDS").flatMap { Int(String(cString: $0)) } ?? 0
        let end = ContinuousClock.now + .seconds(seconds)
        repeat { try await body() } while ContinuousClock.now < end
    }

    // MARK: Writing

    /// Appends single records and batches from `writers` tasks, and now and then asks for a sync.
    ///
    /// - Parameters:
    ///   - recordsMax: For all writers together; they stop earlier at the first error.
    ///   - goesOn: Whether a writer appends on after an error.
    func write(
        writers: Int, recordsMax: Int, goesOn: @escaping @Sendable (LogError) -> Bool = { _ in false }
    ) async throws {
        try await withThrowingTaskGroup { group in
            for writer in 0..<writers {
                group.addTask {
                    var number: UInt32 = 0
                    while number < recordsMax / writers {
                        let count = Int.random(in: 0..<4) > 0 ? 1 : UInt32.random(in: 1...20)
                        let values = (number..<number + count).map { StressValue(writer: UInt32(writer), number: $0) }
                        number += count
                        do throws(LogError) {
                            _ = try await self.ledger.append(values, to: self.log)
                            if Int.random(in: 0..<16) == 0 { try await self.log.sync() }
                        } catch {
                            guard goesOn(error) else { throw error }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
