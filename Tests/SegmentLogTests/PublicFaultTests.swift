import DiskIO
import LogModel
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Refuses each call of the public log's life: every caller gets an answer, and the right one.
@Suite struct `Faults of the public log` {
    private static let policies: [FsyncPolicy] = [.always, .batch(windowMilliseconds: 1), .os]

    private static func configuration(_ policy: FsyncPolicy) -> LogConfiguration {
        var configuration = EngineHarness.configuration()
        configuration.policy = policy
        return configuration
    }

    /// What callers were told by one run.
    private struct Answers {
        var values: [String] = []
        /// Values of which the caller was told that they are not in the log.
        var refused: Set<String> = []
        var errors: [LogError] = []
        var isFailed = false
        var wasClosed = false
    }

    private static func work(_ log: SegmentLog) async -> Answers {
        var answers = Answers()
        for number in 0..<14 {
            let value = "w\(number)-" + String(repeating: "w", count: 500)
            do throws(LogError) {
                try await log.append(Record(value))
                answers.values.append(value)
            } catch {
                answers.errors.append(error)
                switch error {
                case .noSpace where !answers.isFailed: answers.refused.insert(value)
                case .failed: answers.isFailed = true
                default: break
                }
            }
            do throws(LogError) {
                if number == 7 { try await log.sync() }
                if number == 9 { try await log.trim(before: log.tail) }
            } catch {
                answers.errors.append(error)
            }
        }
        do throws(LogError) {
            try await log.close()
            answers.wasClosed = true
        } catch {
            answers.errors.append(error)
        }
        return answers
    }

    @Test(.timeLimit(.minutes(2)), arguments: Self.policies)
    func `one refused call hangs nobody, and what was promised is there after the death of the process`(
        _ policy: FsyncPolicy
    ) async throws {
        let probe = SimulatedFileSystem()
        let log = try await SegmentLog.open(Self.configuration(policy), fileSystem: probe).log
        let start = probe.counts.calls
        _ = await Self.work(log)
        let end = probe.counts.calls
        for number in start + 1...end {
            let errnos: [Errno] = Crashes.isFull ? [.noSpace, .ioError] : [number % 2 == 0 ? .noSpace : .ioError]
            for errno in errnos {
                let disk = SimulatedFileSystem()
                let log = try await SegmentLog.open(Self.configuration(policy), fileSystem: disk.process()).log
                disk.inject(.refuse(errno), atCall: number)
                let answers = await Self.work(log)
                #expect(disk.counts.syncsAfterFailure == 0, "call \(number): a sync was retried")
                disk.killProcess()
                try Self.check(disk, answers, "call \(number), \(errno), \(policy)")
            }
        }
    }

    private static func check(_ disk: SimulatedFileSystem, _ answers: Answers, _ what: String) throws {
        let again = try EngineHarness(disk, mode: .standalone)
        let found = try again.values()
        let first = Int(again.store.firstIndex.rawValue)
        // The trim takes at most whole segments below the ninth value; the rest must be there, in order.
        let kept = answers.values.filter { found.contains($0) }
        #expect(found.filter { answers.values.contains($0) } == kept, "\(what): order")
        #expect(answers.values.suffix(kept.count) == kept[...], "\(what): a gap")
        #expect(kept.count >= answers.values.count - (first - 1), "\(what): lost")
        #expect(answers.refused.isDisjoint(with: found), "\(what): a refused append left a trace")
        for error in answers.errors {
            switch error {
            case .noSpace, .storage, .failed: break
            default: Issue.record("\(what): \(error)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: Self.policies)
    func `all who wait for a sync that fails get the error, and all who come later`(_ policy: FsyncPolicy) async throws
    {
        let disk = SimulatedFileSystem()
        let log = try await SegmentLog.open(Self.configuration(policy), fileSystem: disk).log
        try await log.append(Record("before"))
        try await log.sync()
        disk.inject(.refuse(.ioError), atNext: .sync)
        let errors = await withTaskGroup(of: LogError?.self) { group in
            for number in 0..<8 {
                group.addTask {
                    do throws(LogError) {
                        try await log.append(Record("together \(number)"))
                        try await log.sync()
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: [LogError?]()) { $0.append($1) }
        }
        // Who was served before the failure may have succeeded; but the failed sync had at least one caller.
        #expect(errors.contains { $0 != nil })
        await #expect(throws: LogError.failed) { try await log.append(Record("later")) }
        await #expect(throws: LogError.failed) { try await log.sync() }
        await #expect(throws: LogError.failed) { try await log.truncate(from: log.tail) }
        let readable = try await log.read().reduce(into: [String]()) { values, record in
            values.append(String(decoding: record.record.value, as: UTF8.self))
        }
        #expect(readable.first == "before")
        await #expect(throws: LogError.failed) { try await log.close() }
        #expect(disk.counts.syncsAfterFailure == 0)
    }

    @Test(.timeLimit(.minutes(1)), arguments: Self.policies)
    func `appends go on in the same process when a full disk has room again`(_ policy: FsyncPolicy) async throws {
        let disk = SimulatedFileSystem()
        let log = try await SegmentLog.open(Self.configuration(policy), fileSystem: disk).log
        var appended: [String] = []
        func append(_ number: Int) async throws {
            let value = "n\(number)-" + String(repeating: "n", count: 600)
            try await log.append(Record(value))
            appended.append(value)
        }
        for number in 0..<5 { try await append(number) }
        try await log.sync()
        // Room for what is there, and hardly more: somewhere an append is refused.
        disk.setCapacity(byteCount: 30_000)
        var refusals = 0
        for number in 5..<60 where refusals < 3 {
            do {
                try await append(number)
            } catch LogError.noSpace {
                refusals += 1
            }
        }
        #expect(refusals == 3)
        #expect(try await Self.values(log) == appended)
        disk.setCapacity(byteCount: .max)
        for number in 60..<70 { try await append(number) }
        try await log.close()
        #expect(try EngineHarness(disk, mode: .standalone).values() == appended)
    }

    @Test(.timeLimit(.minutes(1)))
    func `an append that comes to wait after the next segment was refused tries again at once`() async throws {
        let log = try EngineHarness(mode: .standalone)
        let state = try LogCore.state(of: log.writer)
        var core = LogCore(log.writer, log.configuration, view: LogView(), state: state)
        // It found no room and said so; the maintenance thread tries and is refused before it comes to wait.
        let epoch = core.roomEpoch
        core.maintenance.isPreparationAsked = true
        #expect(Self.isPreparing(&core))
        #expect(core.prepared(.failure(.noSpace)).done.isEmpty)
        #expect(!Self.isPreparing(&core))
        let outcome = await withCheckedContinuation { continuation in
            let done = core.joinRoom(since: epoch, continuation).done
            for (waiter, outcome) in done { waiter.resume(returning: outcome) }
        }
        try outcome.get()
    }

    /// Lets the maintenance thread go through its chores; whether it comes to make a segment before it sleeps.
    private static func isPreparing(_ core: inout LogCore) -> Bool {
        while true {
            switch core.nextChore(now: .zero).chore {
            case .prepare: return true
            case .wait, .exit: return false
            default: continue
            }
        }
    }

    private static func values(_ log: SegmentLog) async throws -> [String] {
        try await log.sync()
        return try await log.read().reduce(into: [String]()) { values, record in
            values.append(String(decoding: record.record.value, as: UTF8.self))
        }
    }
}
