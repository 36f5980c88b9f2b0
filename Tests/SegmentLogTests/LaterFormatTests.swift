import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import TestSupport
import Testing

@testable import SegmentLog

/// What a later release has written is good: it is neither cut nor replaced nor called damage, and who meets it says so.
@Suite("Segments of a later format") struct LaterFormatTests {
    // MARK: Opening

    /// DURABLE is up to a second behind; the later release has rotated twice meanwhile, and the last file lost its header.
    @Test(arguments: [RecoveryMode.refuseDamage, .quarantineDamage])
    func `are no tail to be cut, whatever a power cut has left behind them`(_ recovery: RecoveryMode) throws {
        for number in 1...2 as ClosedRange<UInt32> {
            let (log, _) = try Self.unsynced()
            Self.raise(SegmentID(number), on: log.disk)
            let before = try Self.files(log.disk)
            #expect(throws: LogError.laterFormat(file: SegmentID(number).fileName, version: 2)) {
                try EngineHarness(log.disk, recovery: recovery)
            }
            #expect(try Self.files(log.disk) == before)
        }
    }

    @Test func `are no tail to recovery itself`() throws {
        let (log, synced) = try Self.unsynced()
        Self.raise(SegmentID(1), on: log.disk)
        func recover() throws(LogError) {
            let files = LogFiles(fileSystem: log.disk, directory: EngineHarness.directory)
            var recovery = LogRecovery(
                files: files, cluster: EngineHarness.cluster, segmentByteCountMax: 4096,
                record: DurableRecord(durable: synced, commit: .zero, first: .first, isClean: false),
                followsState: false)
            try recovery.run(LogFiles.segments(in: try files.list()), first: .first)
        }
        #expect(throws: LogError.laterFormat(file: "000001.wal", version: 2)) { try recover() }
    }

    @Test func `are taken from no peer, neither to repair with nor to begin with`() throws {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.sync()
        let later = LaterFormat.raised(try #require(log.disk.contents(of: EngineHarness.path("000001.wal"))))
        let before = try Self.files(log.disk)
        let refusal = LogError.laterFormat(file: "000001.wal", version: 2)
        #expect(throws: refusal) {
            try log.writer.replaceSegment(SegmentID(1)) { offset, count in
                later[min(offset, later.count)..<min(offset + count, later.count)]
            }
        }
        var copy = try log.store.firstSegmentCopy(of: SegmentID(1))
        try copy.write(later[...])
        #expect(throws: refusal) { try copy.verified() }
        copy.cancel()
        #expect(try Self.files(log.disk) == before)
    }

    @Test func `with which a later release has decided to begin are not begun with`() throws {
        let log = try EngineHarness()
        try log.fill(100)
        try log.writer.close()
        let whole = try #require(log.disk.contents(of: EngineHarness.path("000001.wal")))
        _ = try log.disk.open(EngineHarness.path("000001.wal.first"), .create)
        log.disk.replaceContents(of: EngineHarness.path("000001.wal.first"), with: LaterFormat.raised(whole))
        let before = try Self.files(log.disk)
        let refusal = LogError.laterFormat(file: "000001.wal.first", version: 2)
        #expect(throws: refusal) { try EngineHarness(log.disk) }
        #expect(throws: refusal) { try StoppedLog(EngineHarness.directory, fileSystem: log.disk) }
        #expect(try `An audit`.audit(log.disk).findings.laterFormat?.file == "000001.wal.first")
        #expect(try Self.files(log.disk) == before)
    }

    /// What tells them from others is read anyway: a log of many segments opens no slower for it.
    @Test(arguments: [LogMode.standalone, .cluster])
    func `are looked for in headers that are read and opened once`(_ mode: LogMode) throws {
        func counts(_ records: Int) throws -> (segments: Int, reads: Int, opens: Int) {
            let log = try EngineHarness(mode: mode)
            try log.fill(records)
            try log.writer.close()
            let before = log.disk.counts
            let again = try EngineHarness(log.disk, mode: mode)
            let after = log.disk.counts
            return (again.store.segments.count, after.reads - before.reads, after.opens - before.opens)
        }
        let (few, many) = (try counts(100), try counts(500))
        let more = many.segments - few.segments
        try #require(more > 8)
        #expect(many.reads - few.reads == more && many.opens - few.opens == more)
    }

    // MARK: Audits and repairs

    @Test func `are named by an audit, which goes on behind them, and are not damaged`() throws {
        let count = try AuditLog.closed(records: 120).opened.store?.segments.count ?? 0
        try #require(count > 3)
        for number in 0..<count {
            let log = try AuditLog.closed(records: 120)
            let before = try `An audit`.audit(log.disk)
            let segment = SegmentID(UInt32(number))
            Self.raise(segment, on: log.disk)
            let report = try `An audit`.audit(log.disk)
            #expect(!report.isDamaged && report.damagedSegments == [])
            #expect(report.findings.map(\.severity) == [.laterFormat], "\(report.findings)")
            let found = try #require(report.findings.laterFormat)
            #expect(found.file == segment.fileName && found.version == 2)
            #expect(
                report.findings[0].words.contains("format version 2, which this release does not know (it knows 1)"))
            var conditions = before.segments.map(\.condition)
            conditions[number] = .laterFormat
            #expect(report.segments.map(\.condition) == conditions)
            // Nothing is known of the log from there on.
            #expect(report.soundChain?.tail.segment == (number > 0 ? SegmentID(UInt32(number - 1)) : nil))
            let alone = try LogAudit.run(
                segment: segment, file: EngineHarness.path(segment.fileName), in: EngineHarness.directory,
                fileSystem: log.disk)
            #expect(!alone.isDamaged && alone.findings.laterFormat?.version == 2)
        }
    }

    @Test func `do not hide damage elsewhere`() throws {
        let log = try AuditLog.closed(records: 120)
        _ = try RepairTests.damage(log.disk, "000001.wal", frame: 3)
        Self.raise(SegmentID(2), on: log.disk)
        let report = try `An audit`.audit(log.disk)
        #expect(report.isDamaged && report.damagedSegments == [SegmentID(1)])
        #expect(report.findings.laterFormat?.file == "000002.wal")
    }

    @Test func `keep a repair from being planned, applied and gone on with`() throws {
        let log = try AuditLog.closed(records: 120)
        _ = try RepairTests.damage(log.disk, "000001.wal", frame: 3)
        let planned = log.disk.copy()
        let plan = try RepairTests.repair(planned).plan(RepairTests.options)
        #expect(!plan.actions.isEmpty)
        let begun = planned.copy()
        try begun.rename(
            EngineHarness.path(RepairPlan.fileName), to: EngineHarness.path(RepairPlan.begunFileName))
        for disk in [log.disk, planned, begun] {
            Self.raise(SegmentID(2), on: disk)
            let before = try Self.files(disk)
            let refusal = RepairError.log(.laterFormat(file: "000002.wal", version: 2))
            #expect(throws: refusal) { try RepairTests.repair(disk).plan(RepairTests.options) }
            #expect(throws: refusal) { try RepairTests.repair(disk).apply(acceptsLoss: true) }
            #expect(try Self.files(disk) == before)
        }
    }

    @Test func `of a peer are not taken for damaged ones, and the plan says why`() throws {
        let log = try AuditLog.closed(records: 120)
        try RepairTests.copySegments(log.disk)
        _ = try RepairTests.damage(log.disk, "000001.wal", frame: 3)
        Self.raise("/peer/000001.wal", on: log.disk)
        var options = RepairTests.options
        options.peer = "/peer"
        let plan = try RepairTests.repair(log.disk).plan(options)
        #expect(!plan.actions.contains { if case .replace = $0 { true } else { false } }, "\(plan)")
        #expect(plan.unknown.contains { $0.hasPrefix("/peer/000001.wal has format version 2") }, "\(plan)")
    }

    // MARK: Backups

    @Test func `are neither backed up nor cut off a backup that was begun`() throws {
        let log = try AuditLog.closed(records: 70)
        let begun = log.disk.copy()
        _ = try BackupSource.copy(begun, pieceCountMax: 12)
        let path = BackupSource.backup.appending("000001.wal")
        try #require(begun.contents(of: path) != nil)
        Self.raise(path, on: begun)
        let before = try BackupSource.files(begun)
        let refusal = LogError.laterFormat(file: "000001.wal", version: 2)
        #expect(throws: BackupError.log(refusal)) { try BackupSource.copy(begun) }
        #expect(try BackupSource.files(begun) == before)

        // Nor one that is whole, and is to go on in a segment of which the manifest counts a part.
        let counted = log.disk.copy()
        let last = try #require(try BackupSource.copy(counted).manifest?.segments.last).id
        Self.raise(BackupSource.backup.appending(last.fileName), on: counted)
        let whole = try BackupSource.files(counted)
        #expect(throws: BackupError.log(.laterFormat(file: last.fileName, version: 2))) {
            try BackupSource.copy(counted)
        }
        #expect(try BackupSource.files(counted) == whole)

        Self.raise(SegmentID(1), on: log.disk)
        #expect(throws: refusal) { try StoppedLog(EngineHarness.directory, fileSystem: log.disk) }
    }

    @Test func `of a backup are named, and are not damaged`() throws {
        let log = try AuditLog.closed(records: 70)
        let manifest = try #require(try BackupSource.copy(log.disk).manifest)
        for segment in manifest.segments {
            let path = BackupSource.backup.appending(segment.id.fileName)
            let whole = log.disk.contents(of: path)
            Self.raise(path, on: log.disk)
            let audit = try BackupSource.audit(log.disk)
            #expect(!audit.isDamaged && audit.findings.laterFormat?.file == segment.id.fileName, "\(audit.findings)")
            log.disk.replaceContents(of: path, with: whole)
        }
    }

    // MARK: Helpers

    /// A log of which DURABLE knows the beginning, with whole segments behind that, and a last one without its header.
    private static func unsynced() throws -> (log: EngineHarness, synced: LogPoint) {
        let log = try EngineHarness()
        try log.fill(5)
        try log.writer.sync()
        let synced = log.writer.durable
        try log.fill(120, prefix: "u")
        log.disk.killProcess()
        let last = log.tail.segment
        try #require(last > SegmentID(2))
        let zeros = [UInt8](repeating: 0, count: SegmentHeader.byteCount)
        try log.disk.open(EngineHarness.path(last.fileName), .write).write(zeros.span.bytes, at: 0)
        return (log, synced)
    }

    static func raise(_ segment: SegmentID, on disk: SimulatedFileSystem) {
        Self.raise(EngineHarness.path(segment.fileName), on: disk)
    }

    static func raise(_ path: FilePath, on disk: SimulatedFileSystem) {
        disk.replaceContents(of: path, with: disk.contents(of: path).map(LaterFormat.raised))
    }

    /// All files of the log's directory but its lock.
    static func files(_ disk: SimulatedFileSystem) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try disk.list(EngineHarness.directory) where name != LogFiles.lock {
            files[name] = disk.contents(of: EngineHarness.path(name))
        }
        return files
    }
}
