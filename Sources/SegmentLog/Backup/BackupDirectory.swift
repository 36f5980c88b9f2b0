import DiskIO
import LogModel
import SystemPackage

/// The directory that holds one backup: segments under their own names, BACKUP, and LOCK.
package enum BackupDirectory {
    /// Whether a file may stand in it: whatever else is there, is somebody's.
    static func isOurs(_ name: String) -> Bool {
        let names = [LogFiles.lock, BackupManifest.fileName, BackupManifest.fileName + ".tmp", "lost+found"]
        return names.contains(name) || LogFiles.isSegment(name)
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
