import DiskIO
import LogModel
import SegmentFormat
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// What a run does to a directory in which others have been before.
@Suite struct BackupWriterTests {
    /// A finished backup, behind which a later run was killed: good frames, half a frame, and another segment.
    private static func interrupted() throws -> (log: AuditLog, finished: BackupManifest) {
        let log = try AuditLog.closed(records: 70)
        let source = try StoppedLog(EngineHarness.directory, fileSystem: log.disk)
        var writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
        let position = try BackupSource.piece(of: source, at: .zero, to: writer)
        let finished = try BackupSource.finish(writer, source)
        _ = try BackupSource.piece(of: source, at: position, to: writer)
        log.disk.killProcess()
        let path = BackupSource.backup.appending("000000.wal")
        let bytes = try #require(log.disk.contents(of: path))
        log.disk.replaceContents(of: path, with: bytes + [1, 2, 3])
        _ = try log.disk.open(BackupSource.backup.appending("000001.wal"), .create)
        writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
        #expect(writer.found == finished && writer.keptByteCount > 0)
        return (log, finished)
    }

    @Test func `a source that the backup does not go on with changes nothing`() throws {
        let (log, finished) = try Self.interrupted()
        let before = try BackupSource.files(log.disk)
        do {
            let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
            #expect(throws: BackupError.self) {
                try writer.check(cluster: ClusterID(high: 1, low: 2), first: .first, commit: .max)
            }
        }
        #expect(try BackupSource.files(log.disk) == before && before.count == 3)
        let made = try #require(try BackupSource.copy(log.disk).manifest)
        #expect(made.byteCount > finished.byteCount)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test func `what an interrupted run left gives way to a source that is not as far`() throws {
        let (log, finished) = try Self.interrupted()
        do {
            let source = try StoppedLog(EngineHarness.directory, fileSystem: log.disk)
            let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
            let before = try BackupSource.files(log.disk)
            let end = try #require(writer.chain).tail
            #expect(finished.end.tail < end)
            // Nor is it given up for a source that the finished backup does not go on with either.
            let less = Position(segment: finished.end.tail.segment, offset: finished.end.tail.offset - 1)
            #expect(throws: BackupError.behind(backup: finished.end.tail, source: less)) {
                try writer.check(cluster: source.cluster, first: source.first, commit: less)
            }
            #expect(writer.chain?.tail == end && writer.keptByteCount > 0)
            let commit = finished.end.tail
            // One that grows may be there in a moment.
            #expect(throws: BackupError.behind(backup: end, source: commit)) {
                try writer.check(cluster: source.cluster, first: source.first, commit: commit, grows: true)
            }
            #expect(writer.chain?.tail == end && writer.keptByteCount > 0)
            #expect(try writer.check(cluster: source.cluster, first: source.first, commit: commit) == commit)
            #expect(writer.chain == finished.end && writer.keptByteCount == 0)
            #expect(try BackupSource.files(log.disk) == before)
            #expect(try BackupSource.finish(writer, source).end == finished.end)
        }
        #expect(try BackupSource.bytes(log.disk, 0).count == Int(finished.end.tail.offset))
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
        #expect(try BackupSource.copy(log.disk).manifest?.end.tail == log.tail)
    }

    @Test func `what an interrupted run left gives way to other frames`() throws {
        let (log, finished) = try Self.interrupted()
        do {
            let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
            var chain = finished.end
            let start = try writer.check(cluster: EngineHarness.cluster, first: .first, commit: .max)
            #expect(start > chain.tail)
            var frames = [UInt8]()
            while chain.tail <= start {
                let draft = try FrameDraft.records([Record("of another leader")])
                frames += chain.place(draft, term: Term(9), node: NodeID(1), timestamp: chain.timestamp).bytes
            }
            // They follow the manifest's end, and not what stands behind it.
            var other = try #require(writer.chain)
            other.previousChecksum ^= 1
            let draft = try FrameDraft.records([Record("of another leader")])
            let frame = other.place(draft, term: Term(9), node: NodeID(1), timestamp: other.timestamp)
            #expect(throws: BackupError.diverged(at: start)) { try writer.append(frame.bytes[...], at: start) }
            #expect(writer.giveUpRemains())
            #expect(!writer.giveUpRemains(), "twice")
            #expect(try writer.check(cluster: EngineHarness.cluster, first: .first, commit: .max) == finished.end.tail)
            try writer.append(frames[...], at: finished.end.tail)
            #expect(!writer.giveUpRemains(), "what this run has written stays")
            let made = try writer.finish(generation: 1, node: NodeID(1), now: .zero)
            #expect(made.end == chain)
        }
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
        #expect(!(try log.disk.list(BackupSource.backup)).contains("000001.wal"))
    }

    @Test func `a first backup that never ended keeps what the source has trimmed since`() throws {
        let log = try AuditLog.closed(records: 70)
        _ = try BackupSource.copy(log.disk, pieceCountMax: 2)
        log.disk.killProcess()
        let source = try StoppedLog(EngineHarness.directory, fileSystem: log.disk)
        let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
        let end = try #require(writer.chain).tail
        let before = try BackupSource.files(log.disk)
        #expect(end.segment == .first)
        for grows in [false, true] {
            #expect(throws: BackupError.gap(end: end, first: SegmentID(2))) {
                try writer.check(cluster: source.cluster, first: SegmentID(2), commit: source.commit, grows: grows)
            }
        }
        #expect(writer.chain?.tail == end && writer.keptByteCount > 0)
        #expect(try BackupSource.files(log.disk) == before)
        // One that still has it all goes on with it.
        var position = try writer.check(cluster: source.cluster, first: source.first, commit: source.commit)
        #expect(position == end)
        while position < source.commit { position = try BackupSource.piece(of: source, at: position, to: writer) }
        #expect(try BackupSource.finish(writer, source).segments.first?.id == .first)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test func `what is written again is read once more before it counts`() throws {
        let (log, finished) = try Self.interrupted()
        do {
            let source = try StoppedLog(EngineHarness.directory, fileSystem: log.disk)
            let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
            let position = try #require(writer.chain).tail
            // It rots after it was looked at.
            let place = Int(finished.end.tail.offset) + 60
            log.disk.flip(bit: place * 8, of: BackupSource.backup.appending("000000.wal"))
            #expect {
                try BackupSource.piece(of: source, at: position, to: writer)
            } throws: { error in
                guard case .log(.damaged(let damage)) = error as? BackupError else { return false }
                return damage.segment == .first && damage.range.lowerBound >= Int(finished.end.tail.offset)
            }
            #expect(try BackupDirectory.manifest(in: BackupSource.backup, fileSystem: log.disk) == finished)
        }
        #expect(try BackupSource.copy(log.disk).manifest?.end.tail == log.tail)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test func `nothing is made in a directory before there is something to copy`() throws {
        let log = try AuditLog.closed(records: 5)
        let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
        #expect(throws: BackupError.nothingCommitted) {
            try writer.check(cluster: EngineHarness.cluster, first: .first, commit: .zero)
        }
        #expect(try log.disk.list(BackupSource.backup).isEmpty)
    }

    /// Every call of the disk is once refused; a sync that is leaves pages that no other sync carries.
    @Test func `what a failed run left counts only once it is on the disk`() throws {
        let log = try AuditLog.closed(records: 60)
        let calls = log.disk.counts.calls
        var failures = 0
        for number in 1... {
            let disk = log.disk.copy()
            disk.inject(.refuse(.ioError), atCall: calls + number)
            if (try? BackupSource.copy(disk)) == nil {
                failures += 1
            } else if disk.counts.calls < calls + number {
                break
            }
            disk.killProcess()
            let made = try #require(try BackupSource.copy(disk).manifest)
            #expect(disk.counts.syncsAfterFailure == 0)
            disk.cutPower(.losesAll)
            #expect(try BackupDirectory.manifest(in: BackupSource.backup, fileSystem: disk) == made, "call \(number)")
            #expect(try BackupSource.audit(disk).findings.isEmpty, "call \(number)")
        }
        #expect(failures > 30)
    }

    @Test func `nobody goes on in a run whose sync has failed`() throws {
        let log = try AuditLog.closed(records: 70)
        let source = try StoppedLog(EngineHarness.directory, fileSystem: log.disk)
        let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
        let position = try BackupSource.piece(of: source, at: .zero, to: writer)
        log.disk.inject(.refuse(.ioError), atNext: .sync)
        #expect(throws: BackupError.self) { try BackupSource.finish(writer, source) }
        #expect(throws: BackupError.log(.failed)) { try BackupSource.finish(writer, source) }
        #expect(throws: BackupError.log(.failed)) { try BackupSource.piece(of: source, at: position, to: writer) }
        #expect(throws: BackupError.noBackup) { try BackupSource.audit(log.disk) }
    }

    @Test func `a backup that ends with a segment goes on with the next one when that was trimmed`() throws {
        let log = try AuditLog.closed(records: 70)
        let source = try StoppedLog(EngineHarness.directory, fileSystem: log.disk)
        let next = Position(1, 0)
        let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
        var position = try BackupSource.piece(of: source, at: .zero, to: writer)
        // Less than the whole segment is a gap, which the next one's header tells.
        #expect(throws: BackupError.gap(end: position, first: next.segment)) {
            try BackupSource.piece(of: source, at: next, to: writer)
        }
        while position < next { position = try BackupSource.piece(of: source, at: position, to: writer) }
        try BackupSource.finish(writer, source)
        position = try writer.check(cluster: source.cluster, first: next.segment, commit: source.commit)
        #expect(position == next)
        while position < source.commit { position = try BackupSource.piece(of: source, at: position, to: writer) }
        #expect(try BackupSource.finish(writer, source).end.tail == source.commit)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test func `a piece of another cluster than the first node's is refused`() throws {
        let log = try AuditLog.closed(records: 5)
        let source = try StoppedLog(EngineHarness.directory, fileSystem: log.disk)
        let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk)
        let asked = ClusterID(high: 1, low: 2)
        try writer.check(cluster: asked, first: .first, commit: source.commit)
        #expect(throws: BackupError.otherCluster(backup: asked, source: EngineHarness.cluster)) {
            try BackupSource.piece(of: source, at: .zero, to: writer)
        }
        #expect(try log.disk.list(BackupSource.backup).isEmpty)
    }

    @Test func `more segments than a manifest can name are refused before they are copied`() throws {
        let log = try AuditLog.closed(records: 70)
        let source = try StoppedLog(EngineHarness.directory, fileSystem: log.disk)
        let writer = try BackupWriter(BackupSource.backup, fileSystem: log.disk, segmentCountMax: 1)
        var position = Position.zero
        while position < Position(1, 0) { position = try BackupSource.piece(of: source, at: position, to: writer) }
        #expect(throws: BackupError.tooManySegments(max: 1)) {
            try BackupSource.piece(of: source, at: position, to: writer)
        }
        #expect(try BackupSource.finish(writer, source).segments.count == 1)
        #expect(try BackupSource.audit(log.disk).findings.isEmpty)
    }

    @Test func `a segment's number that leaves none for the next is refused`() throws {
        let disk = SimulatedFileSystem()
        let writer = try BackupWriter(BackupSource.backup, fileSystem: disk)
        var chain = FrameChain(
            cluster: EngineHarness.cluster, tail: Position(.max - 1, 4096), previousChecksum: 1, nextIndex: .first,
            term: .zero, timestamp: .zero)
        let bytes = chain.startSegment()
        let position = Position(segment: chain.tail.segment, offset: 0)
        #expect(throws: BackupError.log(.rejected(FrameFault(.segmentTooLong), at: position))) {
            try writer.append(bytes[...], at: position)
        }
    }

    @Test func `what appears until the lock is held is seen`() throws {
        let log = try AuditLog.closed(records: 5)
        let late = LateFile(disk: log.disk, name: "a letter")
        #expect(throws: BackupError.foreign(file: "a letter")) {
            try BackupWriter(BackupSource.backup, fileSystem: late)
        }
        try log.disk.remove(BackupSource.backup.appending("a letter"))
        try BackupSource.copy(log.disk)
        #expect(throws: BackupError.notEmpty(file: "IDENTITY")) {
            try BackupRestore.run(
                BackupSource.backup, into: BackupSource.restored, node: NodeID(1), through: .everything,
                cluster: ClusterID(high: 5, low: 6), incarnation: Incarnation(1), now: .zero,
                fileSystem: LateFile(disk: log.disk, name: "IDENTITY"))
        }
    }
}

/// A disk on which somebody makes a file at the moment a directory is locked.
private struct LateFile: FileSystem {
    let disk: SimulatedFileSystem
    let name: String

    var boot: BootIdentity { self.disk.boot }
    func makeDirectory(_ path: FilePath) throws(DiskError) { try self.disk.makeDirectory(path) }
    func list(_ path: FilePath) throws(DiskError) -> [String] { try self.disk.list(path) }
    func remove(_ path: FilePath) throws(DiskError) { try self.disk.remove(path) }
    func syncDirectory(_ path: FilePath) throws(DiskError) { try self.disk.syncDirectory(path) }
    func open(_ path: FilePath, _ access: FileAccess) throws(DiskError) -> any File {
        try self.disk.open(path, access)
    }
    func rename(_ source: FilePath, to target: FilePath) throws(DiskError) {
        try self.disk.rename(source, to: target)
    }
    func lock(_ path: FilePath) throws(DiskError) -> LockOutcome {
        _ = try self.disk.open(path.removingLastComponent().appending(self.name), .create)
        return try self.disk.lock(path)
    }
}
