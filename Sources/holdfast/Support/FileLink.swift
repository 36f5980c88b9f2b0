import Access
import Foundation
import Glibc
import HoldfastClient

/// Where symbolic links lead.
enum FileLink {
    /// As many as the kernel follows.
    private static let hopsMax = 40

    /// What a path stands for; there need be nothing.
    ///
    /// Root does not follow a link of another user's to what is not that user's: whoever may write to one directory could
    /// have root replace any file by a link in it. That is looked at for the last part of the path, and of what the link
    /// there says. Links among the directories before it are followed, whoever made them, and so is what is put there
    /// between this look and the writing: root names no path whose directories somebody may change who is not to choose
    /// where root writes.
    ///
    /// - Throws: 71; nothing is changed then.
    static func target(of path: String) throws(CommandFailure) -> String {
        var path = path
        for _ in 0..<Self.hopsMax {
            var link = stat()
            guard lstat(path, &link) == 0, link.st_mode & S_IFMT == S_IFLNK else { return path }
            let end: String
            do { end = try FileManager.default.destinationOfSymbolicLink(atPath: path) } catch {
                throw Self.failure(path, SystemReason(error).description)
            }
            let next = end.hasPrefix("/") ? end : "\(Files.directory(of: path))/\(end)"
            let owner = (FileFacts(next) ?? FileFacts(Files.directory(of: next)))?.user
            guard geteuid() != 0 || link.st_uid == 0 || link.st_uid == owner else {
                throw CommandFailure(
                    .system,
                    "\(path) is a link that is not root's, to \(end), which is not its owner's; nothing was changed",
                    next: "name \(next) itself, if that is meant")
            }
            path = next
        }
        throw Self.failure(path, String(cString: strerror(ELOOP)))
    }

    private static func failure(_ path: String, _ reason: String) -> CommandFailure {
        CommandFailure(
            .system, "cannot write \(path): \(reason); nothing was changed",
            next: "name the file behind the links itself")
    }
}
