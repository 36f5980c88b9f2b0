import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `Recovery` {
    @Test func `an unsynced tail is cut and reported, the synced part stays`() throws {
        let log = try EngineHarness()
        try log.fill(5)
        try log.writer.sync(now: MonotonicTime.zero.advanced(byMilliseconds: 5000))
        let synced = log.tail
        try log.fill(50, prefix: "u")
        log.disk.cutPower(.losesAll)
        let again = try EngineHarness(log.disk)
        #expect(try again.values() == (0..<5).map { EngineHarness.value($0) })
        #expect(again.tail == synced)
        #expect(again.opened.report.durableBefore == synced)
        #expect(!again.opened.report.wasClosedCleanly)
    }

    @Test func `after the death of the process alone nothing is lost`() throws {
        let log = try EngineHarness()
        try log.fill(5)
        try log.writer.sync()
        try log.fill(50, prefix: "u")
        log.disk.killProcess()
        let again = try EngineHarness(log.disk)
        #expect(try again.values().count == 55)
        #expect(again.opened.report.cut == nil)
        #expect(again.writer.durable == again.writer.chain.point)
        log.disk.cutPower(.losesAll)
        #expect(try EngineHarness(log.disk).values().count == 55)
    }

    @Test func `preallocated zeros are no damage and nothing to cut`() throws {
        let log = try EngineHarness(segmentByteCountMax: 100_000)
        try log.append("a")
        try log.writer.sync()
        log.disk.cutPower(.losesNothing)
        let again = try EngineHarness(log.disk)
        #expect(again.opened.report.cut == nil)
        #expect(again.opened.report.scannedFrameCount == 2)
        #expect(try again.values() == ["a"])
    }

    @Test func `a torn frame at the tail is cut in bytes, and new frames take its place`() throws {
        let log = try EngineHarness()
        try log.append("kept")
        try log.writer.sync()
        let tail = log.tail
        try log.append(EngineHarness.value(1))
        let end = log.tail
        log.disk.flip(bit: (Int(tail.offset) + 60) * 8, of: EngineHarness.path("000000.wal"))
        log.disk.killProcess()
        let again = try EngineHarness(log.disk)
        let cut = try #require(again.opened.report.cut)
        #expect(cut.from == tail)
        #expect(cut.byteCount == Int(end.offset - tail.offset))
        #expect(cut.segmentCount == 0)
        #expect(cut.fault != nil)
        let bytes = try #require(again.disk.contents(of: EngineHarness.path("000000.wal")))
        #expect(bytes[Int(tail.offset)...].allSatisfy { $0 == 0 })
        try again.append("new")
        #expect(try again.values() == ["kept", "new"])
    }

    @Test func `segments behind a stop go with it`() throws {
        let log = try EngineHarness()
        try log.append("kept")
        try log.writer.sync()
        let tail = log.tail
        try log.fill(100)
        #expect(log.tail.segment >= SegmentID(3))
        let segments = Int(log.tail.segment.rawValue)
        log.disk.flip(bit: (Int(tail.offset) + 60) * 8, of: EngineHarness.path("000000.wal"))
        log.disk.killProcess()
        let again = try EngineHarness(log.disk)
        #expect(try again.values() == ["kept"])
        #expect(again.opened.report.cut?.segmentCount == segments)
        #expect(LogFiles.segments(in: try again.disk.list(EngineHarness.directory)) == [.first])
    }

    @Test func `no flipped bit below DURABLE in the active segment is taken for a tail`() throws {
        let log = try EngineHarness()
        try log.append("a")
        try log.append("b", "c")
        try log.writer.sync()
        let tail = log.tail
        log.disk.killProcess()
        let path = EngineHarness.path("000000.wal")
        let before = try #require(log.disk.contents(of: path))
        for bit in stride(from: 0, to: Int(tail.offset) * 8, by: 3) {
            log.disk.flip(bit: bit, of: path)
            let error = #expect(throws: LogError.self, "bit \(bit)") { try EngineHarness.open(log.disk) }
            switch error {
            case .damaged(let damage):
                #expect(damage.segment == .first)
                #expect(damage.range.lowerBound <= bit / 8, "bit \(bit)")
            case .foreignDirectory, nil: Issue.record("bit \(bit): \(String(describing: error))")
            default: Issue.record("bit \(bit): \(String(describing: error))")
            }
            log.disk.flip(bit: bit, of: path)
        }
        #expect(log.disk.contents(of: path) == before)
        #expect(try EngineHarness(log.disk).values() == ["a", "b", "c"])
    }

    @Test func `the message of damage names the exact range`() throws {
        let log = try EngineHarness()
        try log.append("a")
        let start = try log.append("b")
        try log.append("c")
        try log.writer.sync()
        let end = log.tail
        log.disk.flip(bit: (Int(start.offset) + 57) * 8, of: EngineHarness.path("000000.wal"))
        log.disk.killProcess()
        let error = #expect(throws: LogError.self) { try EngineHarness.open(log.disk) }
        guard case .damaged(let damage) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(damage.range == Int(start.offset)..<Int(end.offset))
        #expect(
            damage.description.hasPrefix(
                "segment 000000.wal is damaged in bytes \(start.offset)..<\(end.offset): the frame's records are not what"
            ))
        #expect(damage.description.hasSuffix("nothing was cut"))
    }

    @Test func `synced data that reads as zeros is damage`() throws {
        let log = try EngineHarness()
        try log.append("a")
        let start = try log.append("b")
        try log.writer.sync()
        let end = log.tail
        let file = try log.disk.open(EngineHarness.path("000000.wal"), .write)
        try file.truncate(to: Int(start.offset))
        log.disk.killProcess()
        let expected = Damage(.first, Int(start.offset)..<Int(end.offset), .lost)
        #expect(throws: LogError.damaged(expected)) { try EngineHarness.open(log.disk) }
    }

    @Test func `missing, shortened, lengthened and headless sealed segments are damage`() throws {
        let path = EngineHarness.path("000001.wal")
        let log = try Self.sealed()
        let length = log.store.segments[1].byteCount
        try log.disk.remove(path)
        let missing = Damage(SegmentID(1), 0..<length, .missing)
        #expect(throws: LogError.damaged(missing)) { try EngineHarness.open(log.disk) }

        for wrong in [length - 1, length + 1] {
            let log = try Self.sealed()
            try log.disk.open(path, .write).truncate(to: wrong)
            let range = min(wrong, length)..<max(wrong, length)
            let damage = Damage(SegmentID(1), range, .wrongLength(expected: length, found: wrong))
            #expect(throws: LogError.damaged(damage)) { try EngineHarness.open(log.disk) }
        }
        for bit in stride(from: 0, to: 64 * 8, by: 5) {
            let log = try Self.sealed()
            log.disk.flip(bit: bit, of: path)
            let error = #expect(throws: LogError.self) { try EngineHarness.open(log.disk) }
            guard case .damaged(let damage) = error, damage.segment == SegmentID(1) else {
                Issue.record("bit \(bit): \(String(describing: error))")
                continue
            }
        }
    }

    @Test func `all segments gone is damage, not a blank directory`() throws {
        let log = try EngineHarness()
        try log.writer.close()
        try log.disk.remove(EngineHarness.path("000000.wal"))
        let missing = Damage(.first, 0..<Int(log.tail.offset), .missing)
        #expect(throws: LogError.damaged(missing)) { try EngineHarness.open(log.disk) }
    }

    private static func sealed() throws -> EngineHarness {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.close()
        return log
    }

    @Test func `damage in a sealed segment's frames does not keep the log from opening, and is never read`() throws {
        let log = try Self.sealed()
        log.disk.flip(bit: 8 * 1000, of: EngineHarness.path("000001.wal"))
        let again = try EngineHarness(log.disk)
        #expect(throws: LogError.self) { try again.values() }
        try again.append("goes on")
        try again.writer.sync()
        #expect(try again.store.position(of: LogIndex(101)) != nil)
    }

    @Test func `an unreadable DURABLE is refused alone and bars from voting in a cluster`() throws {
        let log = try EngineHarness()
        try log.append("a")
        try log.writer.close()
        for offset in [0, 2048] { log.disk.flip(bit: 8 * (offset + 20), of: EngineHarness.path("DURABLE")) }
        let again = try EngineHarness(log.disk)
        #expect(!again.opened.mayVote)
        #expect(try again.values() == ["a"])
        #expect(again.opened.report.durableBefore == nil)
        #expect(again.opened.commit == (try again.store.chain(at: EngineHarness.start).tail))
        log.disk.killProcess()
        #expect(try !EngineHarness(log.disk).opened.mayVote)

        let alone = try EngineHarness(mode: .standalone)
        try alone.writer.close()
        for offset in [0, 2048] { alone.disk.flip(bit: 8 * (offset + 20), of: EngineHarness.path("DURABLE")) }
        #expect(throws: LogError.sidecarDamaged(file: "DURABLE")) {
            try EngineHarness(alone.disk, mode: .standalone)
        }
    }

    @Test func `tolerated damage ends the log before it, keeps a copy and bars from voting`() throws {
        let log = try EngineHarness()
        try log.append("a")
        try log.append("b")
        try log.writer.sync()
        let path = EngineHarness.path("000000.wal")
        log.disk.flip(bit: (Int(log.tail.offset) - 1) * 8, of: path)
        log.disk.killProcess()
        let damaged = try #require(log.disk.contents(of: path))
        let again = try EngineHarness(log.disk, recovery: .tolerateDamage)
        #expect(try again.values() == ["a"])
        #expect(again.opened.report.damage.count == 1)
        #expect(!again.opened.mayVote)
        #expect(log.disk.contents(of: EngineHarness.path("000000.wal.damaged")) == damaged)
        try again.append("c")
        try again.writer.close()
        #expect(try EngineHarness(log.disk).values() == ["a", "c"])
    }

    @Test func `a tolerated missing segment ends the log before it`() throws {
        let log = try Self.sealed()
        let kept = try log.values().count
        try log.disk.remove(EngineHarness.path("000001.wal"))
        let again = try EngineHarness(log.disk, recovery: .tolerateDamage)
        #expect(again.tail.segment == .first)
        #expect(try again.values().count < kept)
        try again.fill(50)
        try again.writer.close()
        #expect(try EngineHarness(log.disk).values().count > 50)
    }
}
