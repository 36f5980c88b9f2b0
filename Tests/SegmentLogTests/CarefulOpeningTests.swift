import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Opening takes nothing away of which it does not know for sure that nobody misses it.
@Suite struct `Opening with care` {
    private static let garbage = [UInt8](repeating: 9, count: 4096)

    /// All bytes of segments, and of copies of them, by name.
    private static func segments(_ disk: SimulatedFileSystem) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for name in try disk.list(EngineHarness.directory) where name.contains(".wal") {
            result[name] = disk.contents(of: EngineHarness.path(name))
        }
        return result
    }

    /// A log of several synced segments, of which DURABLE says nothing any more.
    private static func undurable(_ mode: LogMode) throws -> EngineHarness {
        let log = try EngineHarness(mode: mode)
        try log.fill(120)
        try log.writer.sync()
        log.disk.killProcess()
        try `An audit`.write(log.disk, LogFiles.durable, Self.garbage, at: 0)
        for name in try log.disk.list(EngineHarness.directory) {
            try log.disk.open(EngineHarness.path(name), .write).sync()
        }
        try log.disk.syncDirectory(EngineHarness.directory)
        return log
    }

    /// The first store after an unreadable DURABLE once said "synced up to 0:0", long before anything was known.
    @Test(arguments: [LogMode.cluster, .standalone])
    func `killed at any step without DURABLE, it knows as little as before, or all`(_ mode: LogMode) throws {
        let recovery: RecoveryMode = mode == .cluster ? .refuseDamage : .tolerateDamage
        let log = try Self.undurable(mode)
        let before = log.disk.counts.operations
        let expected = try EngineHarness(log.disk.copy(), mode: mode, recovery: recovery).values()
        let whole = log.disk.copy()
        _ = try EngineHarness(whole, mode: mode, recovery: recovery)
        for step in 1...(whole.counts.operations - before) {
            for survival in [PowerCut.losesAll, .losesNothing] {
                let disk = log.disk.copy()
                disk.inject(.stop, atOperation: before + step)
                _ = try? EngineHarness(disk, mode: mode, recovery: recovery)
                disk.cutPower(survival)
                let again = try EngineHarness(disk, mode: mode, recovery: recovery)
                #expect(try again.values() == expected, "step \(step), \(survival)")
                #expect(mode == .standalone || !again.opened.mayVote, "step \(step), \(survival)")
            }
        }
    }

    @Test func `killed at any step while it tolerates damage without DURABLE, every record stays in a file`() throws {
        let log = try Self.undurable(.standalone)
        log.disk.flip(bit: 8 * 2000, of: EngineHarness.path("000001.wal"))
        let kept = try Self.segments(log.disk)
        let before = log.disk.counts.operations
        let whole = log.disk.copy()
        _ = try EngineHarness(whole, mode: .standalone, recovery: .tolerateDamage)
        for step in 1...(whole.counts.operations - before) {
            let disk = log.disk.copy()
            disk.inject(.stop, atOperation: before + step)
            _ = try? EngineHarness(disk, mode: .standalone, recovery: .tolerateDamage)
            disk.cutPower(.losesNothing)
            _ = try? EngineHarness(disk, mode: .standalone, recovery: .refuseDamage)
            let now = try Self.segments(disk)
            for (name, bytes) in kept {
                // Preallocated zeros may go.
                let isThere = now.contains {
                    $0.key.hasPrefix(name) && bytes.starts(with: $0.value.prefix(bytes.count))
                }
                #expect(isThere, "step \(step): \(name) is gone")
            }
        }
    }

    @Test func `without DURABLE a tail that does not fit is kept aside, and not called unsynced`() throws {
        let log = try Self.undurable(.standalone)
        let last = try #require(log.store.segments.last)
        let path = EngineHarness.path(last.id.fileName)
        log.disk.flip(bit: 8 * (SegmentHeader.byteCount + 250), of: path)
        let damaged = try #require(log.disk.contents(of: path))
        let again = try EngineHarness(log.disk, mode: .standalone, recovery: .tolerateDamage)
        #expect(again.opened.report.setAside == ["\(last.id.fileName).damaged"])
        #expect(again.opened.report.cut == nil && again.opened.report.damage.count == 1)
        let copy = log.disk.contents(of: EngineHarness.path("\(last.id.fileName).damaged"))
        #expect(copy == damaged)
    }

    @Test func `segments below the first stay when the log cannot be opened`() throws {
        let log = try EngineHarness(mode: .standalone)
        try log.fill(200)
        let backup = log.disk.contents(of: EngineHarness.path("000000.wal"))
        try log.writer.trim(before: Position(SegmentID(4).rawValue, 0))
        try log.writer.close()
        for name in try Self.segments(log.disk).keys { try log.disk.remove(EngineHarness.path(name)) }
        log.disk.replaceContents(of: EngineHarness.path("000000.wal"), with: backup)
        #expect(throws: LogError.self) { try EngineHarness(log.disk, mode: .standalone) }
        #expect(log.disk.contents(of: EngineHarness.path("000000.wal")) == backup)
    }

    @Test func `nothing is removed that is not of its making`() throws {
        let log = try EngineHarness(mode: .standalone)
        try log.writer.close()
        let foreign = [
            "report.tmp", "pack-1.idx", "1.idx", "x.wal.tmp", "1.wal", "000001.wal.backup", "photo.damaged",
            "7.idx.tmp",
            "000001.wal.damaged", "000001.wal.from-12.damaged-2", "notes.txt", "VOTE.old.tmp",
        ]
        let own = [
            "next.tmp", "spare.tmp", "reserve.tmp", "IDENTITY.tmp", "DURABLE.tmp", "000012.wal.tmp",
            "000003.wal.repair.tmp",
            "000009.idx", "000001.idx.tmp", "000001.wal.damaged.tmp", "000001.wal.from-12.damaged-2.tmp",
            "repair-plan.json.tmp",
        ]
        for name in foreign + own { _ = try log.disk.open(EngineHarness.path(name), .create) }
        try EngineHarness(log.disk, mode: .standalone).writer.close()
        try EngineHarness(log.disk, mode: .standalone).writer.close()
        let left = try log.disk.list(EngineHarness.directory)
        #expect(foreign.filter { !left.contains($0) } == [])
        #expect(own.filter { left.contains($0) } == [])
        #expect(left.filter { LogFiles.isTemporary($0) } == [])
    }

    @Test func `a log that was copied into a blank node's directory is refused, not removed`() throws {
        let other = try EngineHarness()
        try other.append("somebody's")
        try other.writer.close()
        let bytes = try #require(other.disk.contents(of: EngineHarness.path("000000.wal")))
        let disk = SimulatedFileSystem()
        _ = try EngineHarness.open(disk)
        disk.killProcess()
        disk.replaceContents(of: EngineHarness.path("000000.wal"), with: bytes)
        #expect(throws: LogError.foreignDirectory(.noIdentity)) { try EngineHarness.open(disk) }
        #expect(disk.contents(of: EngineHarness.path("000000.wal")) == bytes)
        // What forming leaves when it is cut off is nobody's.
        disk.replaceContents(of: EngineHarness.path("000000.wal"), with: EngineHarness.founding)
        #expect(try EngineHarness.open(disk).writer == nil)
        #expect(disk.contents(of: EngineHarness.path("000000.wal")) == nil)
    }

    @Test func `segment files that nothing leads to are set aside, and another cluster's refused`() throws {
        let log = try EngineHarness()
        try log.fill(60)
        try log.writer.close()
        let bytes = try #require(log.disk.contents(of: EngineHarness.path("000001.wal")))
        log.disk.replaceContents(of: EngineHarness.path("000007.wal"), with: bytes)
        let again = try EngineHarness(log.disk)
        #expect(again.opened.report.setAside == ["000007.wal.damaged"] && again.opened.report.cut == nil)
        #expect(log.disk.contents(of: EngineHarness.path("000007.wal.damaged")) == bytes)
        #expect(try again.values().count == 60)
        try again.writer.close()
        let foreign = FrameChain.foundingBytes(
            cluster: ClusterID(high: 5, low: 5), checkpoint: EngineHarness.checkpointPayload)
        let next = again.tail.segment.next.fileName
        log.disk.replaceContents(of: EngineHarness.path(next), with: foreign)
        #expect(throws: LogError.self) { try EngineHarness(log.disk) }
        #expect(log.disk.contents(of: EngineHarness.path(next)) == foreign)
    }
}
