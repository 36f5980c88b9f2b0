import LogModel
import LogState
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

@Suite struct BackupRestoreTests {
    private static let cluster = ClusterID(high: 5, low: 6)
    private static let member = Member(node: NodeID(7), incarnation: Incarnation(77))

    @discardableResult
    private static func restore(
        _ disk: SimulatedFileSystem, through bound: BackupBound = .everything
    ) throws -> BackupRestore.Restored {
        try BackupRestore.run(
            BackupSource.backup, into: BackupSource.restored, node: Self.member.node, through: bound,
            cluster: Self.cluster, incarnation: Self.member.incarnation, now: Timestamp(nanoseconds: 2000),
            fileSystem: disk)
    }

    private static func opened(_ disk: SimulatedFileSystem) throws -> OpenedLog {
        var configuration = EngineHarness.configuration()
        configuration.directory = BackupSource.restored
        configuration.node = Self.member.node
        return try LogDirectory.open(configuration, mode: .cluster, fileSystem: disk) { Incarnation(1) }
    }

    private static func values(_ opened: OpenedLog) throws -> [String] {
        try EngineHarness.values(try #require(opened.store))
    }

    @Test func `a restored node has the same frames in a new cluster, and leads alone`() throws {
        let log = try AuditLog.closed(records: 70)
        let manifest = try #require(try BackupSource.copy(log.disk).manifest)
        let restored = try Self.restore(log.disk)
        #expect(restored.recovery.position == manifest.end.tail && restored.recovery.nextIndex == LogIndex(71))
        let opened = try Self.opened(log.disk)
        #expect(opened.identity.cluster == Self.cluster && opened.identity.member == Self.member)
        #expect(opened.identity.generation == 2 && opened.mayVote && opened.report.damage.isEmpty)
        let writer = try #require(opened.writer)
        #expect(opened.commit == writer.chain.tail && writer.chain.term == Term(2))
        #expect(opened.votes?.current == .known(term: Term(2), vote: Self.member))
        #expect(try Self.values(opened) == (0..<70).map { EngineHarness.value($0) })
        for segment in manifest.segments {
            let copy = try #require(
                log.disk.contents(of: BackupSource.restored.appending(segment.id.fileName)))
            let original = try BackupSource.bytes(log.disk, segment.id.rawValue)
            #expect(copy.dropFirst(SegmentHeader.byteCount) == original.dropFirst(SegmentHeader.byteCount))
            #expect(try SegmentHeader.decode(copy.span.bytes).cluster == Self.cluster)
        }
        let report = try LogAudit.run(BackupSource.restored, fileSystem: log.disk)
        #expect(!report.isDamaged && report.membership?.voters == [Self.member])
        #expect(report.membership?.recovery == restored.recovery)
    }

    @Test(arguments: [1, 2, 33, 36, 37, 69, 70] as [UInt64]) func `through an index, and no further`(
        index: UInt64
    ) throws {
        let log = try AuditLog.closed(records: 70)
        try BackupSource.copy(log.disk)
        let restored = try Self.restore(log.disk, through: .index(LogIndex(index)))
        #expect(restored.recovery.nextIndex == LogIndex(index + 1))
        #expect(try Self.values(try Self.opened(log.disk)) == (0..<Int(index)).map { EngineHarness.value($0) })
    }

    @Test(arguments: [71, 500, .max] as [UInt64])
    func `through a record that the backup does not have: nothing is restored`(index: UInt64) throws {
        let log = try AuditLog.closed(records: 70)
        try BackupSource.copy(log.disk)
        #expect(throws: BackupError.endsBefore(next: LogIndex(71))) {
            try Self.restore(log.disk, through: .index(LogIndex(index)))
        }
        #expect(throws: (any Error).self) { try log.disk.list(BackupSource.restored) }
    }

    @Test func `through the last record before damage`() throws {
        let log = try AuditLog.closed(records: 70)
        try BackupSource.copy(log.disk)
        let value = Array(EngineHarness.value(5).utf8)
        let bytes = try BackupSource.bytes(log.disk, 0)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: value) })
        log.disk.flip(bit: place * 8, of: BackupSource.backup.appending(SegmentID(0).fileName))
        #expect(throws: BackupError.self) { try Self.restore(log.disk, through: .index(LogIndex(6))) }
        let restored = try Self.restore(log.disk, through: .index(LogIndex(5)))
        #expect(restored.recovery.nextIndex == LogIndex(6))
    }

    /// The manifest's checksum is right: somebody wrote it so. Segments 0, 1, ... begin with other records than it says.
    @Test(arguments: [-3, 3])
    func `a manifest that says otherwise than the segments where they begin is refused by name`(
        shift: Int
    ) throws {
        let log = try AuditLog.closed(records: 70)
        let manifest = try #require(try BackupSource.copy(log.disk).manifest)
        let truth = try #require(manifest.segments.dropFirst().first)
        var crafted = manifest
        let claimed = LogIndex(UInt64(Int(truth.firstIndex.rawValue) + shift))
        crafted.segments[1].firstIndex = claimed
        log.disk.replaceContents(of: BackupSource.backup.appending(BackupManifest.fileName), with: crafted.encoded())
        let refusal = BackupError.misstated(truth.id, manifest: claimed, files: truth.firstIndex)
        // The record between both beginnings is in another segment than the manifest says.
        let between = min(claimed, truth.firstIndex).advanced(by: 1)
        #expect(throws: refusal) { try Self.restore(log.disk, through: .index(between)) }
        #expect(throws: (any Error).self) { try log.disk.list(BackupSource.restored) }
        let findings = try BackupSource.audit(log.disk).findings
        #expect(findings.map(\.file) == [BackupManifest.fileName] && findings.allSatisfy { $0.severity == .damage })
        let fault = AuditFault.misstated(truth.id, manifest: claimed, files: truth.firstIndex)
        #expect(findings.map(\.fault) == [fault])
        // Frames alone say how far all of it goes.
        #expect(try Self.restore(log.disk).recovery.nextIndex == LogIndex(71))
    }

    @Test func `through a time, and not before the first`() throws {
        let log = try AuditLog.closed(records: 70)
        try BackupSource.copy(log.disk)
        let early = try Self.restore(log.disk, through: .time(Timestamp(nanoseconds: 999)))
        #expect(early.recovery.nextIndex == .first)
        let whole = try AuditLog.closed(records: 70)
        try BackupSource.copy(whole.disk)
        let all = try Self.restore(whole.disk, through: .time(Timestamp(nanoseconds: 1000)))
        #expect(all.recovery.nextIndex == LogIndex(71))
    }

    @Test func `what the log had trimmed stays away, and is back as of before the trim`() throws {
        var log = try AuditLog()
        try log.fill(70)
        try log.trim(before: Position(1, 0))
        try log.fill(5, prefix: "later")
        try log.writer.sync()
        log.writer.recordCommit(log.tail)
        try log.writer.close()
        try BackupSource.copy(log.disk)
        let other = log.disk.copy()
        let restored = try Self.restore(log.disk)
        #expect(restored.first == SegmentID(1) && restored.firstIndex > .first)
        let opened = try Self.opened(log.disk)
        #expect(try #require(opened.store).firstIndex == restored.firstIndex)
        #expect(try Self.values(opened).count == 76 - Int(restored.firstIndex.rawValue))

        let before = try Self.restore(other, through: .index(LogIndex(70)))
        #expect(before.first == .first && before.firstIndex == .first)
        #expect(try Self.values(try Self.opened(other)).count == 70)
    }

    @Test func `a directory that is not empty is left alone`() throws {
        let log = try AuditLog.closed(records: 5)
        try BackupSource.copy(log.disk)
        try Self.restore(log.disk)
        #expect(throws: BackupError.notEmpty(file: "IDENTITY")) { try Self.restore(log.disk) }
        try log.disk.makeDirectory("/other")
        _ = try log.disk.open("/other/a letter", .create)
        #expect(throws: BackupError.notEmpty(file: "a letter")) {
            try BackupRestore.run(
                BackupSource.backup, into: "/other", node: NodeID(1), through: .everything, cluster: Self.cluster,
                incarnation: Incarnation(1), now: .zero, fileSystem: log.disk)
        }
    }

    @Test func `damage in the backup is not restored`() throws {
        let log = try AuditLog.closed(records: 70)
        try BackupSource.copy(log.disk)
        for place in ["000000.wal", "000001.wal"] {
            log.disk.flip(bit: 3_000 * 8, of: BackupSource.backup.appending(place))
            #expect(throws: BackupError.self) { try Self.restore(log.disk) }
            #expect(throws: LogError.restoreUnfinished) { try Self.opened(log.disk) }
            log.disk.flip(bit: 3_000 * 8, of: BackupSource.backup.appending(place))
        }
        try Self.restore(log.disk)
        #expect(try Self.values(try Self.opened(log.disk)).count == 70)
    }

    /// Every call of the disk is once the last one before the power goes.
    @Test func `half a restore is never taken for a whole one, and restoring again begins anew`() throws {
        let log = try AuditLog.closed(records: 40)
        try BackupSource.copy(log.disk)
        let calls = log.disk.counts.calls
        var halves = 0
        for number in 1... {
            let disk = log.disk.copy()
            disk.inject(.stop, atCall: calls + number)
            if (try? Self.restore(disk)) != nil { break }
            disk.cutPower()
            do {
                // Opening a blank directory makes it somebody's.
                let opened = try Self.opened(disk.copy())
                guard opened.writer == nil else {
                    #expect(try Self.values(opened).count == 40)
                    continue
                }
                let names = (try? disk.list(BackupSource.restored)) ?? []
                #expect(!names.contains { $0.hasSuffix(".wal") }, "\(names)")
            } catch {
                #expect(error as? LogError == .restoreUnfinished)
                halves += 1
            }
            try Self.restore(disk)
            #expect(try Self.values(try Self.opened(disk)).count == 40)
        }
        #expect(halves > 10)
    }
}
