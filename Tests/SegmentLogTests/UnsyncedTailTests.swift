import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// What a mapped segment may look like after a power cut: any of the sectors that were not synced, and zeros between.
@Suite struct `Tails that were never synced` {
    /// Synced records, then unsynced ones across segments, with the sectors of `lost` zeroed in one file.
    private static func log(zeroing lost: Range<Int>, of segment: SegmentID, from tail: Position? = nil) throws
        -> (EngineHarness, synced: Position)
    {
        let log = try EngineHarness()
        try log.fill(5)
        try log.writer.sync()
        let synced = log.tail
        try log.fill(80, prefix: "u")
        let file = try log.disk.open(EngineHarness.path(segment.fileName), .write)
        let zeros = [UInt8](repeating: 0, count: lost.count)
        try file.write(zeros.span.bytes, at: lost.lowerBound)
        log.disk.killProcess()
        return (log, synced)
    }

    @Test func `zeros in the middle end the log, whatever follows them`() throws {
        let (log, synced) = try Self.log(zeroing: 1536..<2048, of: .first)
        let again = try EngineHarness(log.disk)
        let values = try again.values()
        #expect(values.count >= 5)
        #expect(again.tail.segment == .first)
        #expect(again.tail >= synced)
        #expect(again.tail.offset <= 1536)
        let cut = try #require(again.opened.report.cut)
        #expect(cut.segmentCount == Int(log.tail.segment.rawValue))
        #expect(cut.byteCount > 4096)
        #expect(cut.frameCount > 20)
        #expect(again.opened.report.keptUnsynced.byteCount == Int(again.tail.offset - synced.offset))
        #expect(again.opened.report.keptUnsynced.frameCount == values.count - 5)
        // The later frames are gone for good: none of them may come back behind new ones.
        try again.append("new")
        log.disk.killProcess()
        #expect(try EngineHarness(log.disk).values() == values + ["new"])
    }

    @Test func `a later segment without its beginning goes, the one before is kept whole`() throws {
        let (log, _) = try Self.log(zeroing: 0..<512, of: SegmentID(1))
        let length = log.store.segments[0].byteCount
        let again = try EngineHarness(log.disk)
        #expect(again.tail == Position(segment: .first, offset: UInt32(length)))
        #expect(again.opened.report.cut?.segmentCount == Int(log.tail.segment.rawValue))
        try again.append(EngineHarness.value(1, prefix: "new"))
        try again.writer.sync()
        #expect(again.tail.segment == SegmentID(1))
        log.disk.cutPower(.losesAll)
        #expect(try EngineHarness(log.disk).values().last == EngineHarness.value(1, prefix: "new"))
    }

    @Test func `one lost sector anywhere above DURABLE is a tail, and below it is damage`() throws {
        for sector in 0..<7 {
            let range = sector * 512..<(sector + 1) * 512
            let (log, synced) = try Self.log(zeroing: range, of: .first)
            if range.lowerBound < Int(synced.offset) {
                let error = #expect(throws: LogError.self) { try EngineHarness.open(log.disk) }
                guard case .damaged(let damage) = error else {
                    Issue.record("\(sector): \(String(describing: error))")
                    continue
                }
                #expect(damage.range.lowerBound < range.upperBound)
                #expect([SegmentHeader.byteCount, Int(synced.offset)].contains(damage.range.upperBound))
                let refused = log.disk.contents(of: EngineHarness.path("000000.wal"))
                #expect(throws: LogError.self) { try EngineHarness.open(log.disk) }
                #expect(log.disk.contents(of: EngineHarness.path("000000.wal")) == refused)
            } else {
                let again = try EngineHarness(log.disk)
                #expect(try again.values().starts(with: (0..<5).map { EngineHarness.value($0) }), "\(sector)")
            }
        }
    }

    @Test func `opening twice in a row changes nothing the second time`() throws {
        let (log, _) = try Self.log(zeroing: 1536..<2048, of: .first)
        let first = try EngineHarness(log.disk)
        let (values, tail) = (try first.values(), first.tail)
        log.disk.killProcess()
        let second = try EngineHarness(log.disk)
        #expect(second.opened.report.cut == nil)
        #expect(second.opened.report.keptUnsynced == RecoveryReport.Extent())
        #expect(second.opened.report.durableBefore == tail)
        #expect(try second.values() == values)
    }

    @Test func `a disk that refuses any call of an opening makes nothing worse`() throws {
        for errno in [Errno.ioError, .noSpace] {
            for refused in 1...40 {
                let (log, _) = try Self.log(zeroing: 1536..<2048, of: .first)
                let expected = try Self.expectedValues()
                log.disk.inject(.refuse(errno), atOperation: log.disk.counts.operations + refused)
                do throws(LogError) {
                    let opened = try EngineHarness(log.disk)
                    #expect(try opened.values() == expected, "\(errno) at \(refused)")
                } catch {
                    switch error {
                    case .storage, .noSpace: break
                    default: Issue.record("\(errno) at \(refused): \(error)")
                    }
                }
                log.disk.killProcess()
                #expect(try EngineHarness(log.disk).values() == expected, "\(errno) at \(refused)")
            }
        }
    }

    private static func expectedValues() throws -> [String] {
        let (log, _) = try Self.log(zeroing: 1536..<2048, of: .first)
        return try EngineHarness(log.disk).values()
    }

    @Test func `a full disk does not keep a log of its own from being opened, read and closed`() throws {
        let disk = SimulatedFileSystem()
        let log = try EngineHarness(disk, mode: .standalone)
        try log.fill(10)
        try log.writer.close()
        disk.setCapacity(byteCount: 0)
        let again = try EngineHarness(disk, mode: .standalone)
        #expect(again.opened.report.isStartUncounted)
        #expect(try again.values().count == 10)
        #expect(throws: LogError.noSpace) { try again.append("x") }
        try again.writer.close()
        disk.setCapacity(byteCount: .max)
        let healed = try EngineHarness(disk, mode: .standalone)
        #expect(!healed.opened.report.isStartUncounted)
        try healed.append("x")
        #expect(try healed.values().count == 11)
        #expect(try disk.list(EngineHarness.directory).allSatisfy { !$0.hasSuffix(".tmp") })
    }

    @Test func `without DURABLE a full segment that was not finalized is no damage`() throws {
        let log = try EngineHarness()
        try log.fill(40)
        #expect(log.tail.segment == SegmentID(1))
        let values = try log.values()
        log.disk.killProcess()
        for offset in [0, 2048] { log.disk.flip(bit: 8 * (offset + 20), of: EngineHarness.path("DURABLE")) }
        let again = try EngineHarness(log.disk)
        #expect(try again.values() == values)
        #expect(again.opened.report.finalizedSegmentCount == 1)
        #expect(!again.opened.mayVote)
    }
}
