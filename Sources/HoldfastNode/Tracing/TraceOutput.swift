import Glibc
import SystemPackage

/// What `trace.output` says.
package enum TraceOutput: Hashable, Sendable {
    case stderr
    case file(String)

    init(_ text: String) { self = text == "stderr" ? .stderr : .file(text) }

    /// Opens it to add to it; a file that is not there is made.
    func open() throws(Errno) -> SystemPackage.FileDescriptor {
        guard case .file(let path) = self else { return .standardError }
        do {
            return try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.append, .create, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead])
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError
        }
    }

    /// Where to go on once the file has become as large as it may: a new one, when the old one has been renamed to
    /// `NAME.1`, in the place of the one before.
    ///
    /// What is at the path by now is left alone when it is another file: somebody has moved this one away, and has not said
    /// so yet (SIGHUP). What is no regular file has no size, and stays.
    ///
    /// - Parameters:
    ///   - current: What is written to; it stays open.
    ///   - byteCount: Of the next line; an empty file takes one of any size.
    /// - Returns: `nil` while there is room.
    /// - Throws: What the system says; then there is no room, and the next line may ask again.
    func successor(
        of current: SystemPackage.FileDescriptor, byteCountMax: Int, for byteCount: Int
    ) throws(Errno) -> SystemPackage.FileDescriptor? {
        guard case .file(let path) = self else { return nil }
        var (own, there) = (stat(), stat())
        guard fstat(current.rawValue, &own) == 0 else { throw Errno(rawValue: errno) }
        guard own.st_size > 0, Int(own.st_size) + byteCount > byteCountMax else { return nil }
        if stat(path, &there) == 0, there.st_dev == own.st_dev, there.st_ino == own.st_ino {
            guard rename(path, path + ".1") == 0 else { throw Errno(rawValue: errno) }
        }
        return try self.open()
    }
}
