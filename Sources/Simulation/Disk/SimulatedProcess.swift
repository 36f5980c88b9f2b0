import DiskIO
import SystemPackage

/// A ``SimulatedFileSystem`` as one process sees it: threads that live on in a test after their process was killed are
/// refused everything, and cannot touch what the next process does.
package struct SimulatedProcess: FileSystem {
    private let disk: SimulatedFileSystem
    /// `nil`: any.
    private let session: Int?

    init(_ disk: SimulatedFileSystem, session: Int?) {
        self.disk = disk
        self.session = session
    }

    package func makeDirectory(_ path: FilePath) throws(DiskError) {
        try self.disk.change(.makeDirectory, path, session: self.session) { state throws(DiskError) in
            state.makeDirectory(path)
        }
    }

    package func list(_ path: FilePath) throws(DiskError) -> [String] {
        try self.disk.change(.list, path, session: self.session) { state throws(DiskError) in try state.list(path) }
    }

    package func open(_ path: FilePath, _ access: FileAccess) throws(DiskError) -> any File {
        let (inode, session) = try self.disk.change(access == .create ? .create : .open, path, session: self.session) {
            state throws(DiskError) in
            (try state.open(path, access), state.session)
        }
        return SimulatedFile(self.disk, path: path, inode: inode, session: session)
    }

    package func rename(_ source: FilePath, to target: FilePath) throws(DiskError) {
        try self.disk.change(.rename, source, session: self.session) { state throws(DiskError) in
            try state.rename(source, to: target)
        }
    }

    package func remove(_ path: FilePath) throws(DiskError) {
        try self.disk.change(.remove, path, session: self.session) { state throws(DiskError) in try state.remove(path) }
    }

    package func syncDirectory(_ path: FilePath) throws(DiskError) {
        try self.disk.change(.syncDirectory, path, session: self.session) { state throws(DiskError) in
            try state.syncDirectory(path)
        }
    }

    package var boot: BootIdentity { self.disk.boot }

    package func lock(_ path: FilePath) throws(DiskError) -> LockOutcome {
        let session = try self.disk.change(.lock, path, session: self.session) { state throws(DiskError) in
            state.lock(path)
        }
        guard let session else { return .held(holder: "pid 1") }
        return .acquired(SimulatedLock(self.disk, path: path, session: session))
    }
}

/// Held until released or until its process is gone.
private final class SimulatedLock: HeldLock {
    private let fileSystem: SimulatedFileSystem
    private let path: FilePath
    private let session: Int

    init(_ fileSystem: SimulatedFileSystem, path: FilePath, session: Int) {
        self.fileSystem = fileSystem
        self.path = path
        self.session = session
    }

    deinit { self.fileSystem.unlock(self.path, session: self.session) }
}
