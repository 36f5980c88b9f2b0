import Access
import Foundation
import Glibc

/// A small file system in memory, mounted where a node keeps its data, whose size is what a test says.
struct SmallDisk {
    private static let name = "holdfast-soak"

    let path: String

    /// Whether this process may mount anything; tried in a directory of its own under `directory`.
    static func isAllowed(under directory: String) -> Bool {
        let path = "\(directory)/small-disk"
        guard (try? Files.makeDirectory(path)) != nil else { return false }
        defer { Files.remove(path) }
        guard let disk = try? SmallDisk(at: path, byteCount: 1 << 20) else { return false }
        return (try? disk.unmount()) != nil
    }

    /// Mounts it on an empty directory.
    private init(at path: String, byteCount: Int) throws(CommandFailure) {
        guard mount(Self.name, path, "tmpfs", 0, "size=\(byteCount),mode=700") == 0 else {
            throw Self.failure("cannot mount a file system on \(path)")
        }
        self.path = path
    }

    /// Moves a directory onto a disk of its own that has so much room beside what it holds.
    ///
    /// - Throws: What the system says; the directory is where it was.
    static func moving(_ path: String, room byteCount: Int) throws(CommandFailure) -> SmallDisk {
        let aside = "\(path).aside"
        try Self.rename(path, to: aside)
        var disk: SmallDisk?
        do throws(CommandFailure) {
            try Files.makeDirectory(path)
            let made = try SmallDisk(at: path, byteCount: Self.byteCount(of: aside) + byteCount)
            disk = made
            try Self.copyFiles(from: aside, to: path)
            Files.remove(aside)
            return made
        } catch {
            try? disk?.unmount()
            Files.remove(path)
            try Self.rename(aside, to: path)
            throw error
        }
    }

    /// Moves everything back where it was; nobody may have a file open here.
    func moveBack() throws(CommandFailure) {
        let aside = "\(self.path).aside"
        try Files.makeDirectory(aside)
        try Self.copyFiles(from: self.path, to: aside)
        try self.unmount()
        Files.remove(self.path)
        try Self.rename(aside, to: self.path)
    }

    /// Leaves so much room and no more.
    func resize(room byteCount: Int) throws(CommandFailure) {
        var space = statvfs()
        guard statvfs(self.path, &space) == 0 else { throw Self.failure("cannot look at \(self.path)") }
        let used = Int(space.f_blocks - space.f_bfree) * Int(space.f_frsize)
        let size = "size=\(used + byteCount)"
        guard mount(Self.name, self.path, "tmpfs", UInt(MS_REMOUNT), size) == 0 else {
            throw Self.failure("cannot change the size of \(self.path)")
        }
    }

    private func unmount() throws(CommandFailure) {
        guard umount2(self.path, 0) == 0 else { throw Self.failure("cannot unmount \(self.path)") }
    }

    /// Takes away all that is mounted under a directory, also while processes have files there.
    ///
    /// - Parameter directory: By any name: the system tells of mounts by their real ones.
    static func unmountAll(under directory: String) {
        guard let resolved = realpath(directory, nil) else { return }
        defer { free(resolved) }
        let directory = String(cString: resolved)
        for line in (Files.text("/proc/self/mounts") ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 1, fields[0] == Self.name else { continue }
            let path = fields[1].replacing("\\040", with: " ")
            if path.hasPrefix("\(directory)/") { umount2(String(path), Int32(MNT_DETACH)) }
        }
    }

    // MARK: Files

    private static func byteCount(of directory: String) -> Int {
        Files.names(in: directory).reduce(0) { sum, name in
            var status = stat()
            return lstat("\(directory)/\(name)", &status) == 0 ? sum + Int(status.st_size) : sum
        }
    }

    /// Data directories are flat.
    private static func copyFiles(from: String, to: String) throws(CommandFailure) {
        do {
            for name in Files.names(in: from) {
                try FileManager.default.copyItem(atPath: "\(from)/\(name)", toPath: "\(to)/\(name)")
            }
        } catch {
            throw CommandFailure(.system, "cannot copy \(from) to \(to): \(SystemReason(error))")
        }
    }

    private static func rename(_ path: String, to other: String) throws(CommandFailure) {
        guard Glibc.rename(path, other) == 0 else { throw Self.failure("cannot move \(path) to \(other)") }
    }

    private static func failure(_ what: String) -> CommandFailure {
        CommandFailure(.system, "\(what): \(String(cString: strerror(errno)))")
    }
}
