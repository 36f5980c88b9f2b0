import DiskIO
import LogModel
import Simulation
import Testing

@testable import SegmentLog

/// Many tasks at one log. `HOLDFAST_STRESS_SECONDS=60` goes on for so long in each case, with new numbers each round.
@Suite(.serialized, .timeLimit(.minutes(60))) struct `A log under stress` {
    static let policies: [FsyncPolicy] = [.always, .batch(windowMilliseconds: 1), .os]

    @Test(arguments: StressStage.allCases, Self.policies)
    func `readers and tailers see one gapless order beside appends, syncs, trims and rotations`(
        _ stage: StressStage, _ policy: FsyncPolicy
    ) async throws {
        try await StressRun.rounds {
            try await stage.with(policy) { configuration, fileSystem in
                let run = StressRun(try await SegmentLog.open(configuration, fileSystem: fileSystem).log)
                let (tails, sights) = try await Self.readWhileWriting(run)
                let next = run.log.nextIndex
                try run.check(sights: tails + sights)
                for tail in tails where tail.nextIndex != next {
                    throw StressRun.Wrong("a tailer ended at \(String(describing: tail.nextIndex)), not \(next)")
                }
                let (all, report) = try await StressRun.reopen(configuration, fileSystem)
                #expect(report.wasClosedCleanly && report.nextIndex == next)
                try run.check(all)
            }
        }
    }

    /// - Returns: The last piece of each tailer, which must reach the end, and everything else that was seen.
    private static func readWhileWriting(_ run: StressRun) async throws -> (tails: [StressSight], [StressSight]) {
        try await withThrowingTaskGroup(of: (StressSight?, [StressSight]).self) { group in
            defer { run.isOver.raise() }
            for start in [ReadStart.first, .index(LogIndex(100)), .first] {
                group.addTask {
                    let pieces = try await run.tail(from: start)
                    return (pieces.last, Array(pieces.dropLast()))
                }
            }
            for _ in 0..<2 { group.addTask { (nil, try await run.readAround()) } }
            group.addTask {
                try await run.trim()
                return (nil, [])
            }
            try await run.write(writers: [1, 2, 8, 32, 64].randomElement() ?? 1, recordsMax: 1000)
            run.isOver.raise()
            try await run.log.close()
            var tails: [StressSight] = []
            var sights: [StressSight] = []
            for try await (tail, others) in group {
                if let tail { tails.append(tail) }
                sights += others
            }
            return (tails, sights)
        }
    }

    @Test(arguments: StressStage.allCases, Self.policies)
    func `closing in the middle answers every append, and keeps exactly those that returned`(
        _ stage: StressStage, _ policy: FsyncPolicy
    ) async throws {
        try await StressRun.rounds {
            try await stage.with(policy) { configuration, fileSystem in
                let run = StressRun(try await SegmentLog.open(configuration, fileSystem: fileSystem).log)
                async let writing: Void = Self.writeUntilRefused(run, with: .closed)
                try await eventually { run.ledger.told.count > Int.random(in: 20..<200) }
                try await run.log.close()
                try await writing
                let (all, report) = try await StressRun.reopen(configuration, fileSystem)
                #expect(report.wasClosedCleanly)
                try run.check(all)
            }
        }
    }

    private static func writeUntilRefused(_ run: StressRun, with expected: LogError) async throws {
        await #expect(throws: expected) { try await run.write(writers: Int.random(in: 1...32), recordsMax: .max) }
    }

    @Test(arguments: StressStage.allCases)
    func `truncating the end that is not acknowledged gives every append a definite answer`(
        _ stage: StressStage
    ) async throws {
        try await StressRun.rounds {
            try await stage.with(.always) { configuration, fileSystem in
                let run = StressRun(try await SegmentLog.open(configuration, fileSystem: fileSystem).log)
                try await withThrowingTaskGroup { group in
                    defer { run.isOver.raise() }
                    group.addTask {
                        while !run.isOver.isRaised {
                            try await run.ledger.truncate(run.log, from: run.log.durable)
                            await Task.yield()
                        }
                    }
                    group.addTask { try await Self.readDespiteTruncations(run) }
                    try await run.write(writers: Int.random(in: 4...32), recordsMax: 600) { error in
                        if case .beyondTail = error { true } else { false }
                    }
                    run.isOver.raise()
                    try await group.waitForAll()
                }
                try await run.log.close()
                try run.check(try await StressRun.reopen(configuration, fileSystem).all)
            }
        }
    }

    /// What is read may be cut while it is read; then the reader is told so, and never given anything else.
    private static func readDespiteTruncations(_ run: StressRun) async throws {
        while !run.isOver.isRaised {
            do {
                _ = try await StressSight.read(run.log, from: .first)
            } catch LogError.beyondTail {
            } catch LogError.noFrame {
            }
            await Task.yield()
        }
    }

    @Test(arguments: Self.policies)
    func `the death of the process in the middle takes nothing that an append returned for`(
        _ policy: FsyncPolicy
    ) async throws {
        try await Self.crash(policy) { $0.killProcess() }
    }

    @Test func `a power cut in the middle takes nothing that an append returned for under always`() async throws {
        try await Self.crash(.always) { $0.cutPower(.losesSome) }
    }

    private static func crash(
        _ policy: FsyncPolicy, _ body: @escaping @Sendable (SimulatedFileSystem) -> Void
    ) async throws {
        try await StressRun.rounds {
            let disk = SimulatedFileSystem(seed: .random(in: 0 ... .max))
            disk.setKeepsReservations(.random())
            let configuration = StressStage.configuration(policy, EngineHarness.directory)
            let run = StressRun(try await SegmentLog.open(configuration, fileSystem: disk.process()).log)
            async let writing: Void = {
                await #expect(throws: LogError.self) { try await run.write(writers: 16, recordsMax: .max) }
            }()
            try await eventually { run.ledger.told.count > Int.random(in: 20..<200) }
            run.ledger.seal()
            body(disk)
            await writing
            try run.check(try await StressRun.reopen(configuration, disk).all, refusedMayStay: true)
        }
    }
}
