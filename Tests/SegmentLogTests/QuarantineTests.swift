import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct `The quarantine` {
    private static func damage(_ segment: UInt32, _ range: Range<Int>) -> Damage {
        Damage(SegmentID(segment), range, .lost)
    }

    @Test func `refuses what overlaps, lets the rest through, and says how far`() throws {
        let quarantine = Quarantine([Self.damage(1, 100..<200)])
        #expect(try quarantine.goodEnd(of: 0..<50, in: SegmentID(1)) == 50)
        #expect(try quarantine.goodEnd(of: 0..<150, in: SegmentID(1)) == 100)
        #expect(try quarantine.goodEnd(of: 200..<300, in: SegmentID(1)) == 300)
        #expect(try quarantine.goodEnd(of: 0..<300, in: SegmentID(2)) == 300)
        for range in [100..<101, 199..<500] {
            #expect(throws: LogError.damaged(Self.damage(1, 100..<200))) {
                try quarantine.goodEnd(of: range, in: SegmentID(1))
            }
        }
        #expect(throws: LogError.self) { try quarantine.check(0..<101, of: SegmentID(1)) }
        #expect(throws: Never.self) { try quarantine.check(0..<100, of: SegmentID(1)) }
    }

    @Test func `ranges that touch become one, and what is known is not new`() {
        let quarantine = Quarantine()
        #expect(quarantine.isEmpty)
        #expect(quarantine.note(Self.damage(1, 100..<200)))
        #expect(quarantine.note(Self.damage(1, 300..<400)))
        #expect(quarantine.note(Self.damage(0, 5..<6)))
        #expect(!quarantine.note(Self.damage(1, 120..<130)))
        #expect(quarantine.note(Self.damage(1, 200..<300)))
        #expect(quarantine.damage == [Self.damage(0, 5..<6), Self.damage(1, 100..<400)])
        let missing = Damage(SegmentID(1), 0..<0, .missing)
        #expect(quarantine.note(missing))
        #expect(!quarantine.note(Self.damage(1, 0..<1000)))
        #expect(quarantine.damage.map(\.kind) == [.lost, .missing])
        #expect(throws: LogError.self) { try quarantine.goodEnd(of: 5000..<5001, in: SegmentID(1)) }
    }

    @Test func `with too many ranges each segment has one`() {
        let quarantine = Quarantine()
        for number in 0...EngineLimits.quarantinedRangesMax {
            quarantine.note(Self.damage(UInt32(number % 2), number * 10..<number * 10 + 1))
        }
        #expect(quarantine.damage == [Self.damage(0, 0..<10_241), Self.damage(1, 10..<10_231)])
    }

    @Test func `repairs lift what they cover, trims and truncations what they remove`() {
        let quarantine = Quarantine([Self.damage(1, 100..<200), Self.damage(2, 0..<64), Self.damage(3, 10..<20)])
        quarantine.repaired(120..<130, of: SegmentID(1))
        #expect(quarantine.damage.prefix(2) == [Self.damage(1, 100..<120), Self.damage(1, 130..<200)])
        quarantine.repaired(0..<Int.max, of: SegmentID(1))
        #expect(quarantine.damage == [Self.damage(2, 0..<64), Self.damage(3, 10..<20)])
        quarantine.forget(before: SegmentID(2), from: Position(3, 15))
        #expect(quarantine.damage.count == 2)
        quarantine.forget(before: SegmentID(3), from: Position(3, 10))
        #expect(quarantine.isEmpty)
        quarantine.repaired(0..<Int.max, of: SegmentID(1))
        #expect(quarantine.damage.isEmpty)
    }

    // MARK: Opening with damage

    private static func sealed() throws -> EngineHarness {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.sync()
        log.writer.recordCommit(log.tail)
        try log.writer.close()
        return log
    }

    /// Which of the 100 values can be read, each on its own.
    private static func readable(_ log: EngineHarness) throws -> Set<UInt64> {
        var readable: Set<UInt64> = []
        for index in 1...100 as ClosedRange<UInt64> {
            do throws(LogError) {
                guard let position = try log.store.position(of: LogIndex(index)) else {
                    Issue.record("record \(index) is said not to be there")
                    continue
                }
                let range = try log.store.read(from: position, through: log.store.written.position, byteCountMax: 1)
                #expect(FrameSequence(range).contains { $0.header.firstIndex == LogIndex(index) })
                readable.insert(index)
            } catch {
                guard case .damaged = error else { throw error }
            }
        }
        return readable
    }

    private static func indexes(_ log: EngineHarness, of segment: UInt32) -> Set<UInt64> {
        let segments = log.store.segments
        let last = Int(segment) + 1 < segments.count ? segments[Int(segment) + 1].firstIndex : log.store.nextIndex
        return Set(segments[Int(segment)].firstIndex.rawValue..<last.rawValue)
    }

    private static func reopened(_ log: EngineHarness) throws -> EngineHarness {
        try EngineHarness(log.disk, recovery: .quarantineDamage)
    }

    @Test(arguments: [0, 1, 2] as [UInt32])
    func `a missing segment blocks its own records alone, and the log goes on`(_ segment: UInt32) throws {
        let log = try Self.sealed()
        let lost = Self.indexes(log, of: segment)
        let length = log.store.segments[Int(segment)].byteCount
        try log.disk.remove(EngineHarness.path(SegmentID(segment).fileName))
        let again = try Self.reopened(log)
        #expect(again.opened.report.damage == [Damage(SegmentID(segment), 0..<length, .missing)])
        #expect(again.store.damage == again.opened.report.damage)
        #expect(again.opened.mayVote)
        #expect(try Self.readable(again) == Set(1...100).subtracting(lost))
        try again.append("goes on")
        try again.writer.sync()
        #expect(log.disk.contents(of: EngineHarness.path(SegmentID(segment).fileName)) == nil)
    }

    @Test func `a lost header blocks its segment's start, and positions behind it stay readable`() throws {
        let log = try Self.sealed()
        let second = Self.indexes(log, of: 1)
        let position = try #require(try log.store.position(of: LogIndex(second.min().map { $0 + 3 } ?? 0)))
        log.disk.flip(bit: 8 * 10, of: EngineHarness.path("000001.wal"))
        let again = try Self.reopened(log)
        #expect(again.opened.report.damage.map(\.range) == [0..<64])
        #expect(again.store.segments.map(\.firstIndex) == log.store.segments.map(\.firstIndex))
        #expect(try Self.readable(again) == Set(1...100))
        #expect(throws: LogError.self) { try again.store.header(of: SegmentID(1)) }
        #expect(throws: LogError.self) { try again.values() }
        let range = try again.store.read(from: position, through: again.tail, byteCountMax: 1)
        #expect(range.position == position)
    }

    @Test func `a lost header behind a damaged frame hides no records: what stands between the two is not known`()
        throws
    {
        let log = try Self.sealed()
        let index = try #require(Self.indexes(log, of: 0).max().map { $0 - 4 })
        let frame = try #require(try log.store.position(of: LogIndex(index)))
        log.disk.flip(bit: 8 * (Int(frame.offset) + 20), of: EngineHarness.path("000000.wal"))
        log.disk.flip(bit: 8 * 10, of: EngineHarness.path("000001.wal"))
        #expect(try Self.readable(Self.reopened(log)) == Set(1...100).subtracting(index...index + 4))
    }

    @Test func `another segment's file is no part of this one`() throws {
        let log = try Self.sealed()
        let lost = Self.indexes(log, of: 1)
        let length = log.store.segments[1].byteCount
        let other = try #require(log.disk.contents(of: EngineHarness.path("000002.wal")))
        let file = try log.disk.open(EngineHarness.path("000001.wal"), .write)
        try file.truncate(to: 0)
        try file.write(other.span.bytes, at: 0)
        try file.truncate(to: length)
        let again = try Self.reopened(log)
        #expect(again.opened.report.damage.map(\.range) == [0..<length])
        #expect(try Self.readable(again) == Set(1...100).subtracting(lost))
    }

    @Test func `a shortened segment gives what is left`() throws {
        let log = try Self.sealed()
        let whole = Self.indexes(log, of: 1)
        let length = log.store.segments[1].byteCount
        let cut = try #require(try log.store.position(of: LogIndex((whole.max() ?? 0) - 1)))
        try log.disk.open(EngineHarness.path("000001.wal"), .write).truncate(to: Int(cut.offset))
        let again = try Self.reopened(log)
        let kind = Damage.Kind.wrongLength(expected: length, found: Int(cut.offset))
        #expect(again.opened.report.damage == [Damage(SegmentID(1), Int(cut.offset)..<length, kind)])
        let last = whole.max() ?? 0
        #expect(try Self.readable(again) == Set(1...100).subtracting([last, last - 1]))
    }

    @Test func `bad records in the synced part of the active segment are passed over; a bad header is refused`() throws
    {
        let log = try Self.sealed()
        let last = log.tail.segment
        let index = Self.indexes(log, of: last.rawValue).min().map { $0 + 1 } ?? 0
        let start = try #require(try log.store.position(of: LogIndex(index)))
        let path = EngineHarness.path(last.fileName)
        log.disk.flip(bit: 8 * (Int(start.offset) + 60), of: path)
        let again = try Self.reopened(log)
        #expect(again.tail == log.tail)
        #expect(again.opened.report.damage.map(\.range.lowerBound) == [Int(start.offset)])
        #expect(try Self.readable(again) == Set(1...100).subtracting([index]))
        log.disk.killProcess()
        log.disk.flip(bit: 8 * (Int(start.offset) + 20), of: path)
        #expect(throws: LogError.self) { try Self.reopened(log) }
    }

    @Test func `damage above the stored commit bars from voting, below it does not`() throws {
        for isCommitted in [true, false] {
            let log = try EngineHarness()
            try log.fill(100)
            try log.writer.sync()
            if isCommitted { log.writer.recordCommit(log.tail) }
            try log.writer.close()
            try log.disk.remove(EngineHarness.path("000001.wal"))
            let again = try Self.reopened(log)
            #expect(again.opened.mayVote == isCommitted)
            #expect(again.opened.bar == (isCommitted ? .none : .untilLevel))
        }
    }

    @Test func `damage noted while the log is open is refused from then on, and gone with a trim`() throws {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.sync()
        let damage = Damage(.first, 64..<200, .lost)
        #expect(log.store.noteDamage(damage))
        #expect(throws: LogError.damaged(damage)) { try log.values() }
        try log.writer.trim(before: Position(1, 0))
        #expect(log.store.damage.isEmpty)
        #expect(throws: Never.self) { try log.values() }
    }
}
