import DiskIO
import LogModel
import Simulation
import SystemPackage
import Testing

@testable import SegmentLog

/// Backups of a stopped node's log, on one simulated disk.
enum BackupSource {
    static let backup: FilePath = "/backup"
    static let restored: FilePath = "/restored"

    /// Copies all that is committed, a few hundred bytes at a time.
    ///
    /// - Parameter pieceCountMax: Stops after so many, without finishing.
    /// - Returns: The writer, as it was before it was finished.
    @discardableResult
    static func copy(
        _ disk: SimulatedFileSystem, pieceByteCount: Int = 700, pieceCountMax: Int = .max,
        from directory: FilePath = EngineHarness.directory
    ) throws -> (writer: BackupWriter, manifest: BackupManifest?) {
        let log = try StoppedLog(directory, fileSystem: disk)
        let writer = try BackupWriter(Self.backup, fileSystem: disk)
        let start = try writer.check(cluster: log.cluster, first: log.first, commit: log.commit)
        var position = start
        var pieceCount = 0
        while position < log.commit {
            guard pieceCount < pieceCountMax else { return (writer, nil) }
            position = try Self.piece(of: log, at: position, byteCountMax: pieceByteCount, to: writer)
            pieceCount += 1
        }
        return (writer, try Self.finish(writer, log))
    }

    /// Copies so much.
    ///
    /// - Returns: Where the next piece begins.
    static func piece(
        of log: StoppedLog, at position: Position, byteCountMax: Int = 700, to writer: BackupWriter
    ) throws -> Position {
        let (bytes, next) = try log.frames(at: position, byteCountMax: byteCountMax)
        if !bytes.isEmpty { try writer.append(bytes, at: position) }
        return next
    }

    @discardableResult
    static func finish(_ writer: BackupWriter, _ log: StoppedLog) throws -> BackupManifest {
        try writer.finish(
            generation: log.identity.generation, node: log.identity.node, now: Timestamp(nanoseconds: 5))
    }

    /// Everything that stands in the backup's directory.
    static func files(_ disk: SimulatedFileSystem) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try disk.list(Self.backup) { files[name] = disk.contents(of: Self.backup.appending(name)) }
        return files
    }

    /// The backup's segment, as it stands on the disk.
    static func bytes(_ disk: SimulatedFileSystem, _ segment: UInt32) throws -> [UInt8] {
        try #require(disk.contents(of: Self.backup.appending(SegmentID(segment).fileName)))
    }

    static func audit(_ disk: SimulatedFileSystem) throws -> BackupAudit {
        try BackupAudit.run(Self.backup, fileSystem: disk)
    }
}
