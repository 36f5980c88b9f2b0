import Glibc
import SystemPackage

/// The file system of the machine.
///
/// Every call retries `EINTR`, except a sync, whose failure of any kind is final.
package struct LinuxFileSystem: FileSystem {
    package init() {}

    package func makeDirectory(_ path: FilePath) throws(DiskError) {
        if mkdir(path.string, 0o755) == 0 {
            try self.syncDirectory(path.parentOrCurrent)
            return
        }
        let first = Errno(rawValue: errno)
        if first == .fileExists { return }
        guard first == .noSuchFileOrDirectory, path.parentOrCurrent != path, !path.removingLastComponent().isEmpty
        else { throw DiskError(first, .makeDirectory, path) }
        try self.makeDirectory(path.removingLastComponent())
        guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else {
            throw DiskError(Errno(rawValue: errno), .makeDirectory, path)
        }
        try self.syncDirectory(path.parentOrCurrent)
    }

    package var boot: BootIdentity {
        guard let file = try? self.open("/proc/sys/kernel/random/boot_id", .read),
            let bytes = try? file.read(at: 0, count: 64)
        else { return .unknown }
        return BootIdentity(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }) ?? .unknown
    }

    package func list(_ path: FilePath) throws(DiskError) -> [String] {
        guard let stream = opendir(path.string) else { throw DiskError(Errno(rawValue: errno), .list, path) }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            // d_name is a C array of 256 bytes, ended by zero.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw DiskError(Errno(rawValue: errno), .list, path) }
        return names.sorted()
    }

    package func open(_ path: FilePath, _ access: FileAccess) throws(DiskError) -> any File {
        LinuxFile(try self.descriptor(path, access), path: path)
    }

    package func rename(_ source: FilePath, to target: FilePath) throws(DiskError) {
        guard Glibc.rename(source.string, target.string) == 0 else {
            throw DiskError(Errno(rawValue: errno), .rename, source)
        }
    }

    package func remove(_ path: FilePath) throws(DiskError) {
        guard unlink(path.string) == 0 else { throw DiskError(Errno(rawValue: errno), .remove, path) }
    }

    package func syncDirectory(_ path: FilePath) throws(DiskError) {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec])
        } catch {
            throw DiskError(error as? Errno ?? .ioError, .syncDirectory, path)
        }
        defer { Glibc.close(descriptor.rawValue) }
        guard fsync(descriptor.rawValue) == 0 else {
            throw DiskError(Errno(rawValue: errno), .syncDirectory, path)
        }
    }

    package func lock(_ path: FilePath) throws(DiskError) -> LockOutcome {
        let file = LinuxFile(try self.lockDescriptor(path), path: path)
        guard flock(file.descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            let reason = Errno(rawValue: errno)
            guard reason == .wouldBlock else { throw DiskError(reason, .lock, path) }
            let holder = String(decoding: try file.read(at: 0, count: 64), as: UTF8.self)
            return .held(holder: holder.split(separator: "\n").first.map(String.init) ?? "an unknown process")
        }
        // Written over what is there before the file is cut, so that a full disk has nothing to refuse.
        let holder = Array("pid \(getpid())\n".utf8)
        try file.write(holder.span.bytes, at: 0)
        try file.truncate(to: holder.count)
        return .acquired(LinuxLock(file))
    }

    private func descriptor(_ path: FilePath, _ access: FileAccess) throws(DiskError) -> FileDescriptor {
        let operation: DiskOperation = access == .create ? .create : .open
        do {
            switch access {
            case .read:
                return try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
            case .write:
                return try FileDescriptor.open(path, .readWrite, options: [.closeOnExec])
            case .create:
                return try FileDescriptor.open(
                    path, .readWrite, options: [.closeOnExec, .create, .exclusiveCreate],
                    permissions: FilePermissions(rawValue: 0o644)
                )
            }
        } catch {
            throw DiskError(error as? Errno ?? .ioError, operation, path)
        }
    }

    private func lockDescriptor(_ path: FilePath) throws(DiskError) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                path, .readWrite, options: [.closeOnExec, .create], permissions: FilePermissions(rawValue: 0o644)
            )
        } catch {
            throw DiskError(error as? Errno ?? .ioError, .lock, path)
        }
    }
}

/// Keeps the descriptor that carries a `flock`: per open file, so it also excludes openers of this process.
private final class LinuxLock: HeldLock {
    private let file: LinuxFile
    init(_ file: LinuxFile) { self.file = file }
}

extension FilePath {
    /// Where the entry of this path stands.
    fileprivate var parentOrCurrent: FilePath {
        let parent = self.removingLastComponent()
        return parent.isEmpty ? FilePath(".") : parent
    }
}
