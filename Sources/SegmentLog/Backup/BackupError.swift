import LogModel
import SystemPackage

/// Why a backup is not made, read or restored, by what the caller can do.
package enum BackupError: Error, Hashable, Sendable {
    /// The disk, or bytes that fit nowhere. What was in the backup is still there, and the same call goes on.
    case log(LogError)
    /// Another process works on the directory. Nothing was touched.
    case inUse(holder: String)
    /// The directory holds something else. Nothing was touched.
    case foreign(file: String)
    /// No backup was ever finished here.
    case noBackup
    /// BACKUP is not what its checksum says.
    case manifestUnreadable
    /// The backup is of another cluster than the source. Nothing was changed.
    case otherCluster(backup: ClusterID, source: ClusterID)
    /// The source has other frames behind this position than the backup's go on with. Nothing was changed.
    case diverged(at: Position)
    /// The source has not committed yet what the backup has. Nothing was changed.
    case behind(backup: Position, source: Position)
    /// The source trimmed what comes next. Nothing was changed.
    case gap(end: Position, first: SegmentID)
    /// The source has not committed anything, as far as it knows. Nothing was changed.
    case nothingCommitted
    /// BACKUP cannot name any more than that. What was copied is kept.
    case tooManySegments(max: Int)
    /// Bytes of the backup are not what was written.
    case damaged(Damage)
    /// The manifest says that a segment begins with another record than the files do.
    case misstated(SegmentID, manifest: LogIndex, files: LogIndex)

    /// The directory to restore into is not empty. Nothing was touched.
    case notEmpty(file: String)
    /// No such prefix: the backup begins behind it, or what is left of it would be nothing.
    case nothingThrough(first: LogIndex)
    /// The backup ends before the record through which it was to be restored. Nothing was touched.
    case endsBefore(next: LogIndex)
    /// The log's own state cannot be computed from its frames.
    case state(SegmentID)
}

/// Translates the engine's refusals.
func backup<Result>(_ body: () throws(LogError) -> Result) throws(BackupError) -> Result {
    do throws(LogError) {
        return try body()
    } catch {
        throw .log(error)
    }
}
