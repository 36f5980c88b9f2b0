import DiskIO
import Dispatch
import Glibc
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `The scrubber` {
    private static func log(_ count: Int = 150, segmentByteCountMax: Int = 4096) throws -> EngineHarness {
        let log = try EngineHarness(segmentByteCountMax: segmentByteCountMax)
        try log.fill(count)
        try log.writer.sync()
        return log
    }

    /// Steps whenever a step is due, until the pass is over.
    @discardableResult
    private static func pass(_ scrubber: inout Scrubber, _ log: EngineHarness, from start: MonotonicTime = .zero)
        throws -> (found: [Damage], end: MonotonicTime, steps: Int)
    {
        var now = start
        var found: [Damage] = []
        var steps = 0
        let passes = scrubber.progress.passCount
        while scrubber.progress.passCount == passes {
            steps += 1
            try #require(steps < 10_000)
            let step = try scrubber.step(now: now, durable: log.writer.durable.position)
            found += step.found
            if scrubber.progress.passCount == passes { now = try #require(step.due) }
        }
        return (found, now, steps)
    }

    @Test func `reads every sealed byte once in a pass, at the rate asked for`() throws {
        let log = try Self.log()
        let sealed = log.store.segments.dropLast()
        let byteCount = sealed.reduce(0) { $0 + $1.byteCount }
        var scrubber = Scrubber(log.store, bytesPerSecond: 10_000)
        let (found, end, _) = try Self.pass(&scrubber, log)
        #expect(found.isEmpty)
        #expect(scrubber.progress.segmentCount == sealed.count)
        #expect(scrubber.progress.byteCount == byteCount)
        #expect(scrubber.progress.position == nil)
        let milliseconds = end.milliseconds(since: .zero)
        #expect(abs(Int(milliseconds) - byteCount / 10) < 500)
        // Not due yet: nothing is read.
        let reads = log.disk.counts.reads
        let step = try scrubber.step(now: end, durable: log.writer.durable.position)
        #expect(log.disk.counts.reads == reads)
        #expect(step.due == MonotonicTime.zero.advanced(byMilliseconds: EngineLimits.scrubPassIntervalMilliseconds))
        #expect(scrubber.progress.passCount == 1)
    }

    @Test func `another pace holds at once within a pass`() throws {
        let log = try Self.log()
        var scrubber = Scrubber(log.store, bytesPerSecond: 1)
        let due = try #require(try scrubber.step(now: .zero, durable: log.writer.durable.position).due)
        #expect(due.milliseconds(since: .zero) > 60_000)
        scrubber.pace(bytesPerSecond: 1_000_000)
        let (found, end, _) = try Self.pass(&scrubber, log)
        #expect(found.isEmpty)
        #expect(end.milliseconds(since: .zero) < 60_000)
    }

    @Test func `does nothing while paused`() throws {
        let log = try Self.log()
        var scrubber = Scrubber(log.store)
        scrubber.isPaused = true
        let step = try scrubber.step(now: .zero, durable: log.writer.durable.position)
        #expect(step.due == nil)
        #expect(scrubber.progress == Scrubber.Progress())
    }

    @Test func `finds every flipped bit, and quarantines the frame or all behind a lost header`() throws {
        let log = try Self.log()
        let path = EngineHarness.path("000001.wal")
        let length = log.store.segments[1].byteCount
        for bit in stride(from: 0, to: length * 8, by: 97) {
            log.disk.flip(bit: bit, of: path)
            var scrubber = Scrubber(log.store)
            let found = try Self.pass(&scrubber, log).found
            #expect(found.contains { $0.segment == SegmentID(1) && $0.range.contains(bit / 8) }, "bit \(bit)")
            #expect(scrubber.progress.damageCount == found.count)
            #expect(throws: LogError.self, "bit \(bit)") { try log.values() }
            log.disk.flip(bit: bit, of: path)
            log.store.repaired(SegmentID(1), 0..<Int.max)
            log.store.repaired(SegmentID(2), 0..<Int.max)
        }
        #expect(try log.values().count == 150)
    }

    @Test func `bad records cost their frame alone, and are news once`() throws {
        let log = try Self.log()
        let start = try #require(try log.store.position(of: LogIndex(30)))
        let end = try #require(try log.store.position(of: LogIndex(31)))
        log.disk.flip(bit: 8 * (Int(start.offset) + 60), of: EngineHarness.path(start.segment.fileName))
        var scrubber = Scrubber(log.store, passIntervalMilliseconds: 0)
        let (found, time, _) = try Self.pass(&scrubber, log)
        #expect(found.map(\.range) == [Int(start.offset)..<Int(end.offset)])
        #expect(log.store.damage == found)
        #expect(try log.store.read(from: end, through: log.tail, byteCountMax: 1).position == end)
        #expect(try Self.pass(&scrubber, log, from: time.advanced(byMilliseconds: 10)).found.isEmpty)
        #expect(scrubber.progress.damageCount == 1)
    }

    @Test func `finds missing, shortened, lengthened and foreign files`() throws {
        let path = EngineHarness.path("000001.wal")
        var log = try Self.log()
        let length = log.store.segments[1].byteCount
        try log.disk.remove(path)
        var scrubber = Scrubber(log.store)
        #expect(try Self.pass(&scrubber, log).found == [Damage(SegmentID(1), 0..<length, .missing)])
        for wrong in [0, 30, length - 1, length + 1] {
            log = try Self.log()
            try log.disk.open(path, .write).truncate(to: wrong)
            scrubber = Scrubber(log.store)
            let found = try Self.pass(&scrubber, log).found
            #expect(found.allSatisfy { $0.segment == SegmentID(1) })
            #expect(found.contains { $0.kind == .wrongLength(expected: length, found: wrong) }, "\(wrong)")
        }
        log = try Self.log()
        try log.disk.rename(EngineHarness.path("000002.wal"), to: path)
        scrubber = Scrubber(log.store)
        #expect(try Self.pass(&scrubber, log).found.contains { $0.segment == SegmentID(1) })
    }

    @Test func `frames larger than a slice are checked across slices`() throws {
        let log = try EngineHarness(segmentByteCountMax: 4 << 20)
        for number in 0..<6 { try log.append(String(repeating: "\(number)", count: 1_500_000)) }
        try log.writer.sync()
        #expect(log.store.segments.count == 3)
        var scrubber = Scrubber(log.store)
        let (found, _, steps) = try Self.pass(&scrubber, log)
        #expect(found.isEmpty)
        #expect(steps >= 2 * (3_000_000 / EngineLimits.scrubSliceByteCount))
        log.disk.flip(bit: 8 * 2_900_000, of: EngineHarness.path("000000.wal"))
        scrubber = Scrubber(log.store)
        #expect(try Self.pass(&scrubber, log).found.count == 1)
    }

    @Test func `what the disk does not deliver is quarantined, with its reason`() throws {
        let log = try Self.log()
        let segment = try log.store.segment(.first)
        let file = try log.disk.open(EngineHarness.path("000000.wal"), .read)
        var walk = SegmentWalk(
            file, of: segment, cluster: EngineHarness.cluster, after: nil, truncations: 0,
            fileByteCount: try file.byteCount())
        // The files of a process that is gone refuse every read.
        log.disk.killProcess()
        #expect(walk.advance() == 0)
        #expect(walk.isFinished)
        #expect(walk.chainBehind == nil)
        let found = walk.takeFindings()
        #expect(found.map(\.range) == [0..<Int(segment.byteCount)])
        guard case .unreadable(let failure) = found.first?.kind else {
            Issue.record("\(found)")
            return
        }
        #expect(failure.errno == Errno.ioError.rawValue)
        #expect(failure.operation == "read")
    }

    @Test func `survives trims and truncations at every step`() throws {
        for stop in 0..<12 {
            for isTrim in [true, false] {
                let log = try Self.log(400, segmentByteCountMax: 16_384)
                var scrubber = Scrubber(log.store, passIntervalMilliseconds: 0)
                var now = MonotonicTime.zero
                for _ in 0..<stop {
                    now = try #require(try scrubber.step(now: now, durable: log.writer.durable.position).due)
                }
                if isTrim {
                    try log.writer.trim(before: Position(1, 0))
                } else {
                    try log.writer.truncate(from: Position(1, 0))
                    try log.fill(100, prefix: "other")
                    try log.writer.sync()
                }
                #expect(try Self.pass(&scrubber, log, from: now).found.isEmpty, "\(stop) \(isTrim)")
                now = now.advanced(byMilliseconds: 100_000)
                #expect(try Self.pass(&scrubber, log, from: now).found.isEmpty, "\(stop) \(isTrim)")
                #expect(log.store.damage.isEmpty)
            }
        }
    }

    /// A durable position from before a truncation once made segments of it that were staged since, and not written.
    @Test func `takes nothing for sealed that a truncation made unsynced again`() async throws {
        let log = try EngineHarness.staged()
        let start = log.tail
        let writing = Lock(0)
        let isOver = Lock(false)
        let found = Lock<[Damage]>([])
        let scrubbing = DispatchQueue(label: "scrubbing")
        scrubbing.async {
            var scrubber = Scrubber(log.store, bytesPerSecond: 1 << 40, passIntervalMilliseconds: 0)
            var now = MonotonicTime.zero
            while !isOver.withLock({ $0 }) {
                let asked: () -> Position = {
                    let durable = writing.withLock { _ in log.writer.durable.position }
                    // Long enough for a truncation and what follows it.
                    usleep(1000)
                    return durable
                }
                let new = (try? scrubber.step(now: now, durable: asked()).found) ?? []
                found.withLock { $0 += new }
                now = now.advanced(byMilliseconds: 1_000)
            }
        }
        try await HeavyWork.run {
            defer { isOver.withLock { $0 = true } }
            for _ in 0..<200 {
                try writing.withLock { _ in
                    try log.writer.truncate(from: start)
                    try log.fill(80)
                }
                usleep(1000)
                _ = try writing.withLock { _ in try log.writer.sync() }
            }
        }
        scrubbing.sync {}
        #expect(found.withLock { $0 } == [])
    }

    @Test func `waits for segments that are not synced yet`() throws {
        let log = try EngineHarness()
        try log.fill(100)
        var scrubber = Scrubber(log.store)
        _ = try scrubber.step(now: .zero, durable: log.writer.durable.position)
        #expect(scrubber.progress.byteCount == 0)
    }
}
