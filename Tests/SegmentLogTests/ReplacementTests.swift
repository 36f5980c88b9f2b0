import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `Replacing a sealed segment` {
    private static let path = EngineHarness.path("000001.wal")

    /// A log of which segment 1 is damaged, and the good bytes of that.
    private static func damaged() throws -> (log: EngineHarness, good: [UInt8], values: [String]) {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.sync()
        let values = try log.values()
        let good = try #require(log.disk.contents(of: Self.path))
        log.disk.flip(bit: 8 * 1000, of: Self.path)
        log.store.noteDamage(Damage(SegmentID(1), 500..<good.count, .lost))
        return (log, good, values)
    }

    private static func replace(_ log: EngineHarness, with bytes: [UInt8]) throws(LogError) {
        try log.writer.replaceSegment(SegmentID(1)) { offset, _ in
            bytes[min(offset, bytes.count)..<min(offset + 1000, bytes.count)]
        }
    }

    @Test func `a good copy takes the place, and lifts the quarantine`() throws {
        let (log, good, values) = try Self.damaged()
        #expect(throws: LogError.self) { try log.values() }
        try Self.replace(log, with: good)
        #expect(log.store.damage.isEmpty)
        #expect(try log.values() == values)
        log.disk.cutPower(.losesAll)
        #expect(try EngineHarness(log.disk).values() == values)
    }

    @Test func `a missing segment with an unknown header is whole again`() throws {
        let (log, good, values) = try Self.damaged()
        try log.writer.close()
        try log.disk.remove(Self.path)
        let again = try EngineHarness(log.disk, recovery: .quarantineDamage)
        #expect(again.store.damage.count == 1)
        try Self.replace(again, with: good)
        #expect(try again.values() == values)
        #expect(again.store.segments.map(\.firstIndex) == log.store.segments.map(\.firstIndex))
    }

    @Test func `no copy with a flipped bit, a byte less or a byte more is taken`() throws {
        let (log, good, _) = try Self.damaged()
        let before = log.disk.contents(of: Self.path)
        var wrong: [[UInt8]] = [[], Array(good.dropLast()), good + [0], good + good]
        for bit in stride(from: 0, to: good.count * 8, by: 211) {
            var copy = good
            copy[bit / 8] ^= 1 << UInt8(bit % 8)
            wrong.append(copy)
        }
        wrong.append(try #require(log.disk.contents(of: EngineHarness.path("000002.wal"))))
        for copy in wrong {
            let error = #expect(throws: LogError.self) { try Self.replace(log, with: copy) }
            guard case .rejected = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        #expect(log.disk.contents(of: Self.path) == before)
        #expect(log.store.damage.count == 1)
        #expect(try log.disk.list(EngineHarness.directory).allSatisfy { !$0.hasSuffix(".tmp") })
    }

    @Test func `a range alone can be replaced, the rest is kept`() throws {
        let (log, good, values) = try Self.damaged()
        var replacement = try SegmentReplacement(of: SegmentID(1), in: log.store)
        try replacement.keep(upTo: 900)
        try replacement.write(good[900..<1100])
        try replacement.keep(upTo: good.count)
        #expect(replacement.byteCount == good.count)
        try log.writer.install(try replacement.verified())
        #expect(try log.values() == values)
    }

    @Test func `the active segment, one that is gone, and one whose successor is damaged are refused`() throws {
        let (log, good, _) = try Self.damaged()
        #expect(throws: LogError.beyondTail(tail: log.tail)) {
            try SegmentReplacement(of: log.tail.segment, in: log.store)
        }
        log.store.noteDamage(Damage(SegmentID(2), 0..<64, .lost))
        #expect(throws: LogError.damaged(Damage(SegmentID(2), 0..<64, .lost))) { try Self.replace(log, with: good) }
        log.store.repaired(SegmentID(2), 0..<64)
        var replacement = try SegmentReplacement(of: SegmentID(1), in: log.store)
        try replacement.write(good[...])
        let verified = try replacement.verified()
        try log.writer.trim(before: Position(2, 0))
        #expect(throws: LogError.trimmed(first: Position(2, 0))) { try log.writer.install(verified) }
        #expect(try log.disk.list(EngineHarness.directory).allSatisfy { !$0.hasSuffix(".repair.tmp") })
    }

    @Test func `a crash at any step leaves the damaged file or the good one`() throws {
        for survival in [PowerCut.losesAll, .losesNothing, .losesSome] {
            for step in 1...20 {
                let (log, good, values) = try Self.damaged()
                log.writer.recordCommit(log.tail)
                try log.writer.sync(now: MonotonicTime.zero.advanced(byMilliseconds: 5000))
                try log.writer.durableFile.sync()
                log.disk.inject(.stop, atOperation: log.disk.counts.operations + step)
                let isDone = (try? Self.replace(log, with: good)) != nil
                log.disk.cutPower(survival)
                let file = try #require(log.disk.contents(of: Self.path), "\(survival) \(step)")
                #expect(file.count == good.count)
                if isDone { #expect(file == good) }
                let again = try EngineHarness(log.disk)
                if file == good { #expect(try again.values() == values) }
                try Self.replace(again, with: good)
                #expect(try again.values() == values)
            }
        }
    }
}
