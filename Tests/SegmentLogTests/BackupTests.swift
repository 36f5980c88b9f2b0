import LogModel
import SegmentFormat
import Simulation
import Testing

@testable import SegmentLog

@Suite struct BackupTests {
    @Test func `a backup is the committed part of the log, byte for byte`() throws {
        let log = try AuditLog.closed(records: 70)
        let tail = log.tail
        let (writer, made) = try BackupSource.copy(log.disk)
        let manifest = try #require(made)
        #expect(manifest.end.tail == tail && manifest.segments.count > 2)
        #expect(writer.copiedByteCount == manifest.byteCount && writer.keptByteCount == 0)
        for segment in manifest.segments {
            let source = try #require(log.disk.contents(of: EngineHarness.path(segment.id.fileName)))
            let copy = try BackupSource.bytes(log.disk, segment.id.rawValue)
            #expect(copy.count == Int(segment.byteCount) && source.starts(with: copy))
        }
        let audit = try BackupSource.audit(log.disk)
        #expect(audit.findings.isEmpty && audit.recordCount == 70 && audit.lastIndex == LogIndex(70))
        #expect(audit.byteCount == manifest.byteCount)
    }

    @Test func `nothing uncommitted is copied`() throws {
        var log = try AuditLog()
        try log.fill(20)
        try log.writer.sync()
        let committed = log.tail
        log.writer.recordCommit(committed)
        try log.fill(10, prefix: "uncommitted")
        try log.writer.close()
        let manifest = try #require(try BackupSource.copy(log.disk).manifest)
        #expect(manifest.end.tail == committed && manifest.end.nextIndex == LogIndex(21))
    }

    @Test func `a second run copies what is new, and nothing twice`() throws {
        var log = try AuditLog()
        try log.fill(50)
        try log.writer.sync()
        log.writer.recordCommit(log.tail)
        let middle = log.disk.copy()
        middle.killProcess()
        let first = try #require(try BackupSource.copy(middle).manifest)
        try log.fill(40, prefix: "new")
        try log.writer.sync()
        log.writer.recordCommit(log.tail)
        log.disk.killProcess()
        try Self.move(from: middle, to: log.disk)

        var end: FrameChain?
        do {
            let (writer, made) = try BackupSource.copy(log.disk)
            let second = try #require(made)
            #expect(second.end.tail == log.tail)
            #expect(writer.copiedByteCount == second.byteCount - first.byteCount && writer.copiedByteCount > 0)
            #expect(try BackupSource.audit(log.disk).findings.isEmpty)
            end = second.end
        }
        let (idle, again) = try BackupSource.copy(log.disk)
        #expect(idle.copiedByteCount == 0 && again?.end == end)
    }

    /// Puts a finished backup on another disk.
    private static func move(from source: SimulatedFileSystem, to target: SimulatedFileSystem) throws {
        try target.makeDirectory(BackupSource.backup)
        for name in try source.list(BackupSource.backup) {
            let path = BackupSource.backup.appending(name)
            let bytes = try #require(source.contents(of: path))
            let file = try target.open(path, .create)
            try file.write(bytes.span.bytes, at: 0)
            try file.sync()
        }
        try target.syncDirectory(BackupSource.backup)
    }

    @Test(arguments: 1...12) func `a run that was killed goes on with what it had`(pieces: Int) throws {
        let log = try AuditLog.closed(records: 70)
        let killed = try BackupSource.copy(log.disk, pieceCountMax: pieces).writer
        let copied = killed.copiedByteCount
        log.disk.killProcess()
        #expect(throws: BackupError.noBackup) { try BackupSource.audit(log.disk) }
        let (writer, made) = try BackupSource.copy(log.disk)
        #expect(writer.keptByteCount == copied && writer.copiedByteCount + copied == made?.byteCount)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test(arguments: [1, 55, 56, 100, 300]) func `a piece that was torn is copied again, and no more`(
        torn: Int
    ) throws {
        let log = try AuditLog.closed(records: 70)
        _ = try BackupSource.copy(log.disk, pieceCountMax: 8)
        log.disk.killProcess()
        let last = try #require(try log.disk.list(BackupSource.backup).last { $0.hasSuffix(".wal") })
        let path = BackupSource.backup.appending(last)
        let bytes = try #require(log.disk.contents(of: path))
        log.disk.replaceContents(of: path, with: Array(bytes.dropLast(torn)))
        let (writer, made) = try BackupSource.copy(log.disk)
        #expect(writer.keptByteCount > 0 && writer.keptByteCount + writer.copiedByteCount == made?.byteCount)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test func `a power cut in the middle of a run leaves the backup that was there`() throws {
        var log = try AuditLog()
        try log.fill(30)
        try log.writer.sync()
        log.writer.recordCommit(log.tail)
        log.disk.killProcess()
        let first = try #require(try BackupSource.copy(log.disk).manifest)
        let file = BackupSource.backup.appending("000000.wal")
        let before = try #require(log.disk.contents(of: file))
        log.disk.cutPower(.losesAll)
        #expect(try BackupDirectory.manifest(in: BackupSource.backup, fileSystem: log.disk) == first)
        #expect(log.disk.contents(of: file) == before)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test func `a full disk is said, and the run goes on once there is room`() throws {
        let log = try AuditLog.closed(records: 70)
        log.disk.inject(.refuse(.noSpace), atNext: .write)
        #expect(throws: BackupError.log(.noSpace)) { try BackupSource.copy(log.disk) }
        #expect(try BackupSource.copy(log.disk).manifest != nil)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test func `two runs at once, and directories of something else, are refused`() throws {
        let log = try AuditLog.closed(records: 5)
        let running = try BackupSource.copy(log.disk).writer
        #expect(throws: BackupError.self) { try BackupWriter(BackupSource.backup, fileSystem: log.disk) }
        #expect(running.chain != nil)
        #expect(throws: BackupError.foreign(file: "000000.wal")) {
            try BackupWriter(EngineHarness.directory, fileSystem: log.disk)
        }
        try log.disk.makeDirectory("/copied")
        _ = try log.disk.open("/copied/000000.wal", .create)
        #expect(throws: BackupError.foreign(file: "000000.wal")) { try BackupWriter("/copied", fileSystem: log.disk) }
    }

    @Test func `another cluster, other frames and a gap are told apart`() throws {
        let log = try AuditLog.closed(records: 30)
        let (writer, made) = try BackupSource.copy(log.disk)
        let end = try #require(made).end
        let other = ClusterID(high: 1, low: 2)
        #expect(throws: BackupError.otherCluster(backup: EngineHarness.cluster, source: other)) {
            try writer.check(cluster: other, first: .first, commit: end.tail)
        }
        let beyond = SegmentID(end.tail.segment.rawValue + 2)
        #expect(throws: BackupError.gap(end: end.tail, first: beyond)) {
            try writer.check(cluster: EngineHarness.cluster, first: beyond, commit: .max)
        }
        let less = Position(0, 500)
        #expect(throws: BackupError.behind(backup: end.tail, source: less)) {
            try writer.check(cluster: EngineHarness.cluster, first: .first, commit: less)
        }
        #expect(
            try writer.check(cluster: EngineHarness.cluster, first: end.tail.segment, commit: .max) == end.tail)
        let next = Position(segment: end.tail.segment.next, offset: 0)
        #expect(try writer.check(cluster: EngineHarness.cluster, first: next.segment, commit: .max) == next)

        var diverged = end
        diverged.previousChecksum ^= 1
        let draft = try FrameDraft.records([Record("of another past")])
        let frame = diverged.place(draft, term: Term(9), node: NodeID(1), timestamp: end.timestamp)
        #expect(throws: BackupError.diverged(at: end.tail)) { try writer.append(frame.bytes[...], at: frame.position) }
        var torn = frame.bytes
        torn[60] ^= 1
        #expect(throws: BackupError.self) { try writer.append(torn[...], at: frame.position) }
        #expect(writer.chain == end)
    }

    @Test func `damage in the source is refused with its place`() throws {
        let log = try AuditLog.closed(records: 70)
        log.disk.flip(bit: 2_000 * 8, of: EngineHarness.path("000001.wal"))
        do {
            try BackupSource.copy(log.disk)
            Issue.record("damage was copied")
        } catch LogError.damaged(let damage) {
            #expect(damage.segment == SegmentID(1) && damage.range.contains(2_000))
        }
        log.disk.flip(bit: 2_000 * 8, of: EngineHarness.path("000001.wal"))
        #expect(try BackupSource.copy(log.disk).manifest != nil)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test func `damage in the backup is found where it is`() throws {
        let log = try AuditLog.closed(records: 70)
        let manifest = try #require(try BackupSource.copy(log.disk).manifest)
        for segment in manifest.segments {
            let path = BackupSource.backup.appending(segment.id.fileName)
            for offset in stride(from: 0, to: Int(segment.byteCount), by: 97) {
                log.disk.flip(bit: offset * 8 + 3, of: path)
                let findings = try BackupSource.audit(log.disk).findings
                #expect(findings.contains { $0.file == segment.id.fileName && $0.severity == .damage }, "\(offset)")
                log.disk.flip(bit: offset * 8 + 3, of: path)
            }
            let bytes = try #require(log.disk.contents(of: path))
            log.disk.replaceContents(of: path, with: Array(bytes.dropLast(1)))
            #expect(try BackupSource.audit(log.disk).isDamaged)
            #expect(throws: BackupError.self) { try BackupSource.copy(log.disk) }
            log.disk.replaceContents(of: path, with: nil)
            #expect(try BackupSource.audit(log.disk).findings.contains { $0.fault == .missing })
            #expect(throws: BackupError.damaged(Damage(segment.id, 0..<Int(segment.byteCount), .missing))) {
                try BackupSource.copy(log.disk)
            }
            log.disk.replaceContents(of: path, with: bytes)
        }
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }
}
