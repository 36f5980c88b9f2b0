import DiskIO
import LogModel

/// The directory that a backup is restored into.
enum RestoreTarget {
    /// Makes and locks the directory, and marks it as half a one, durably. What an earlier try left there goes.
    ///
    /// - Throws: ``BackupError/notEmpty(file:)``, ``BackupError/inUse(holder:)``, ``BackupError/log(_:)``.
    static func take(_ files: LogFiles) throws(BackupError) -> any HeldLock {
        try backup { () throws(LogError) in
            try disk { () throws(DiskError) in try files.fileSystem.makeDirectory(files.directory) }
        }
        // Somebody else's directory does not even get a LOCK; what is ours may change until that is held.
        _ = try Self.names(files)
        let lock = try BackupDirectory.lock(files)
        let found = try Self.names(files)
        try backup { () throws(LogError) in
            for name in found where name != LogFiles.restoring { try files.remove(name) }
            if !found.contains(LogFiles.restoring) { _ = try files.open(LogFiles.restoring, .create) }
            try files.syncDirectory()
        }
        return lock
    }

    private static func names(_ files: LogFiles) throws(BackupError) -> [String] {
        let names = try backup { () throws(LogError) in
            try files.list().filter { $0 != "lost+found" && $0 != LogFiles.lock }
        }
        if let file = names.first(where: { $0 == LogFiles.identity }) ?? Self.foreign(names) {
            throw .notEmpty(file: file)
        }
        return names
    }

    /// What is not of a restore that was cut off.
    private static func foreign(_ names: [String]) -> String? {
        guard names.contains(LogFiles.restoring) else { return names.first }
        return names.first { !LogFiles.isSegment($0) && !LogFiles.isSidecar($0) && !LogFiles.isTemporary($0) }
    }
}
