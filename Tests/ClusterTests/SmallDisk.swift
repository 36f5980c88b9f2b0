import Foundation
import Glibc

/// A file system in memory that is soon full. It goes with the test's ``Scratch``.
struct SmallDisk: Sendable {
    let path: String

    /// Whether this process may mount anything: tests of full disks need that.
    static let isAllowed: Bool = {
        guard let scratch = try? Scratch(), (try? SmallDisk(at: "\(scratch.path)/disk", mebibytes: 1)) != nil else {
            return false
        }
        scratch.end()
        return true
    }()

    /// Mounts it on a new directory.
    init(at path: String, mebibytes: Int) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("holdfast-test", path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        self.path = path
    }

    /// One that is there.
    init(mounted path: String) { self.path = path }

    private var ballast: String { "\(self.path)/ballast" }

    /// Takes room away.
    func occupy(mebibytes: Int) throws {
        let descriptor = open(self.ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        let error = posix_fallocate(descriptor, 0, off_t(mebibytes) << 20)
        guard error == 0 else { throw POSIXError(POSIXErrorCode(rawValue: error) ?? .EIO) }
    }

    func giveBack() throws { try FileManager.default.removeItem(atPath: self.ballast) }

    /// Takes away what is mounted in a directory, also while processes have files there.
    static func unmount(under path: String) {
        for line in (Processes.text("/proc/self/mounts") ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 1, fields[1].hasPrefix("\(path)/") else { continue }
            umount2(String(fields[1]), Int32(MNT_DETACH))
        }
    }
}
