import DiskIO
import LogModel
import SystemPackage

/// The directory that holds one backup: segments under their own names, BACKUP, and LOCK.
package enum BackupDirectory {
    /// A first backup was begun here: stands before its first segment, and until BACKUP does.
    static let begun = "BACKUP.begun"

    /// The first file that is not of a backup: whatever stands there is somebody's. So are segments that no run has begun.
    static func foreign(in names: [String]) -> String? {
        let ours = [
            LogFiles.lock, Self.begun, BackupManifest.fileName, BackupManifest.fileName + ".tmp", "lost+found",
        ]
        let isOurs = names.contains(Self.begun) || names.contains(BackupManifest.fileName)
        return names.first { !ours.contains($0) && !(isOurs && LogFiles.isSegment($0)) }
    }

    /// - Throws: ``BackupError/inUse(holder:)``, ``BackupError/log(_:)``.
    static func lock(_ files: LogFiles) throws(BackupError) -> any HeldLock {
        let outcome = try backup { () throws(LogError) in
            try disk { () throws(DiskError) in try files.fileSystem.lock(files.path(LogFiles.lock)) }
        }
        switch outcome {
        case .acquired(let lock): return lock
        case .held(let holder): throw .inUse(holder: holder)
        }
    }

    /// Marks the directory as that of a first backup, durably, unless it is marked already.
    static func begin(_ files: LogFiles) throws(LogError) {
        guard try !files.list().contains(Self.begun) else { return }
        _ = try files.open(Self.begun, .create)
        try files.syncDirectory()
    }

    /// What the manifest says.
    ///
    /// - Throws: ``BackupError/noBackup``, ``BackupError/manifestUnreadable``, ``BackupError/log(_:)``.
    package static func manifest(
        in directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem()
    ) throws(BackupError) -> BackupManifest {
        guard let manifest = try self.manifest(in: LogFiles(fileSystem: fileSystem, directory: directory)) else {
            throw .noBackup
        }
        return manifest
    }

    static func manifest(in files: LogFiles) throws(BackupError) -> BackupManifest? {
        let found = try backup { () throws(LogError) in
            try files.contents(BackupManifest.fileName, byteCountMax: BackupManifest.byteCountMax)
        }
        guard let found else { return nil }
        guard let manifest = BackupManifest(decoding: found) else { throw .manifestUnreadable }
        return manifest
    }
}
