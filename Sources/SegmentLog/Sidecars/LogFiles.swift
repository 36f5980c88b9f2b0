import DiskIO
import LogModel
import SystemPackage

/// Names of the files of one log, and the few ways in which they are handled.
struct LogFiles: Sendable {
    static let lock = "LOCK"
    static let identity = "IDENTITY"
    static let vote = "VOTE"
    static let durable = "DURABLE"
    static let starts = "STARTS"
    /// The next segment, allocated but not yet part of the log.
    static let next = "next.tmp"
    /// Allocated for the time when the disk is full.
    static let reserve = "reserve.tmp"
    /// The same as ``next``, made by another thread meanwhile.
    static let spare = "spare.tmp"
    /// A backup is being restored here: without IDENTITY the directory is half a one.
    static let restoring = "restoring.tmp"

    let fileSystem: any FileSystem
    let directory: FilePath

    func path(_ name: String) -> FilePath { self.directory.appending(name) }
    func path(of segment: SegmentID) -> FilePath { self.path(segment.fileName) }

    func open(_ segment: SegmentID, _ access: FileAccess) throws(LogError) -> any File {
        try disk { () throws(DiskError) in try self.fileSystem.open(self.path(of: segment), access) }
    }

    func open(_ name: String, _ access: FileAccess) throws(LogError) -> any File {
        try disk { () throws(DiskError) in try self.fileSystem.open(self.path(name), access) }
    }

    func list() throws(LogError) -> [String] {
        try disk { () throws(DiskError) in try self.fileSystem.list(self.directory) }
    }

    /// Numbers of the segment files, ascending.
    static func segments(in names: [String]) -> [SegmentID] {
        names.compactMap { name -> SegmentID? in
            guard name.hasSuffix(".wal"), let number = UInt32(name.dropLast(4)) else { return nil }
            let segment = SegmentID(number)
            return segment.fileName == name ? segment : nil
        }.sorted()
    }

    func remove(_ name: String) throws(LogError) {
        try disk { () throws(DiskError) in try self.fileSystem.remove(self.path(name)) }
    }

    /// A file that is gone already is as good as removed.
    func removeIfThere(_ name: String) throws(LogError) {
        do throws(DiskError) {
            try self.fileSystem.remove(self.path(name))
        } catch {
            guard error.isNotFound else { throw LogError(error) }
        }
    }

    func rename(_ source: String, to target: String) throws(LogError) {
        try disk { () throws(DiskError) in
            try self.fileSystem.rename(self.path(source), to: self.path(target))
        }
    }

    func syncDirectory() throws(LogError) {
        try disk { () throws(DiskError) in try self.fileSystem.syncDirectory(self.directory) }
    }

    /// Makes or replaces a small file so that a crash leaves the old one or the new one.
    ///
    /// - Throws: ``LogError/noSpace``: the old one is there. ``LogError/storage(_:)``: one of them.
    func replace(_ name: String, with bytes: [UInt8]) throws(LogError) {
        let temporary = name + ".tmp"
        if try self.list().contains(temporary) { try self.remove(temporary) }
        do throws(LogError) {
            let file = try self.open(temporary, .create)
            try disk { () throws(DiskError) in
                try file.write(bytes.span.bytes, at: 0)
                try file.sync()
            }
            try self.rename(temporary, to: name)
        } catch {
            // What cannot be removed now goes at the next start.
            try? self.remove(temporary)
            throw error
        }
        try self.syncDirectory()
    }

    /// Reads a small file; `nil` when it is not there.
    func contents(_ name: String, byteCountMax: Int) throws(LogError) -> [UInt8]? {
        do throws(DiskError) {
            return try self.fileSystem.open(self.path(name), .read).read(at: 0, count: byteCountMax)
        } catch {
            if error.isNotFound { return nil }
            throw LogError(error)
        }
    }
}
