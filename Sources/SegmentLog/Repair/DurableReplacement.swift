import DiskIO
import LogModel
import SystemPackage

/// What DURABLE is to say from now on, written by an offline tool that knows.
package struct DurableReplacement: Hashable, Sendable {
    package var durable: LogPoint
    package var commit: Position
    package var first: SegmentID
    package var isClean: Bool

    package init(durable: LogPoint, commit: Position, first: SegmentID, isClean: Bool) {
        self.durable = durable
        self.commit = commit
        self.first = first
        self.isClean = isClean
    }

    /// Replaces the file, atomically and durably; both slots say the same. The directory is nobody else's meanwhile.
    ///
    /// - Throws: ``LogError/storage(_:)``, ``LogError/noSpace``; the old file stands then.
    package func write(in directory: FilePath, fileSystem: any FileSystem = LinuxFileSystem()) throws(LogError) {
        let record = DurableRecord(
            durable: self.durable, commit: self.commit, first: self.first, isClean: self.isClean)
        try LogFiles(fileSystem: fileSystem, directory: directory)
            .replace(LogFiles.durable, with: DurableFile.contents(record))
    }
}
