import Foundation
import Glibc

/// A file that comes into its place whole, or not at all, and is then read by whoever could read the one before it.
///
/// What stands there gives the new file its owner, group and mode: a node that runs as a user of its own still reads its
/// tokens after root has changed them. A file that is new has the mode asked for, and belongs to whoever writes it; where
/// root writes it, to whom its directory belongs. A symbolic link stays, and its target is replaced.
///
/// Two are put in place together by drafting both first: nearly all that fails does so in the draft.
struct FileReplacement: ~Copyable {
    /// Behind all links.
    private let target: String
    private let draft: String
    /// Whose a new file is, when not the writer's: for people.
    let note: String?

    private init(target: String, note: String?) {
        self.target = target
        self.draft = "\(target).new"
        self.note = note
    }

    deinit { unlink(self.draft) }

    /// Writes it beside its place, readable for nobody else meanwhile.
    ///
    /// - Parameter mode: Of a file that is new.
    /// - Throws: 71; nothing is changed then.
    static func draft(_ text: String, of path: String, mode: mode_t) throws(CommandFailure) -> FileReplacement {
        let target = try FileLink.target(of: path)
        let standing = FileFacts(target)
        let heir = standing ?? FileFacts.heir(of: target, mode: mode)
        let replacement = FileReplacement(target: target, note: standing == nil ? heir?.note(path) : nil)
        try replacement.write(text, as: path, mode: heir?.mode ?? mode, owner: heir)
        return replacement
    }

    private func write(
        _ text: String, as path: String, mode: mode_t, owner: FileFacts?
    ) throws(CommandFailure) {
        unlink(self.draft)
        let descriptor = open(self.draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path, errno) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        if let owner, let own = FileFacts(descriptor), (own.user, own.group) != (owner.user, owner.group) {
            guard fchown(descriptor, owner.user, owner.group) == 0 else { throw .ownerLost(path, owner) }
        }
        // After the owner, whose change takes bits away.
        guard fchmod(descriptor, mode) == 0 else { throw .unwritable(path, errno) }
        do {
            try handle.write(contentsOf: Data(text.utf8))
            try handle.synchronize()
        } catch {
            throw .unwritable(path, reason: error.localizedDescription)
        }
    }

    /// - Throws: 71; what was there before is still there then.
    consuming func putInPlace() throws(CommandFailure) {
        guard rename(self.draft, self.target) == 0 else { throw .unwritable(self.target, errno) }
    }
}

/// Whose a file is, and what its owner, group and others may do with it.
struct FileFacts {
    var user: uid_t
    var group: gid_t
    var mode: mode_t

    private init(_ status: stat) {
        self.user = status.st_uid
        self.group = status.st_gid
        self.mode = status.st_mode & 0o777
    }

    /// `nil` when nothing is there.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(_ descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Of a new file or directory that root makes in somebody's directory; `nil` where it is the maker's own.
    static func heir(of path: String, mode: mode_t) -> FileFacts? {
        guard geteuid() == 0, var facts = FileFacts(Files.directory(of: path)), facts.user != 0 else { return nil }
        facts.mode = mode
        return facts
    }

    func note(_ path: String) -> String { "\(path) belongs to \(self.userName), as its directory does" }

    var userName: String { getpwuid(self.user).map { String(cString: $0.pointee.pw_name) } ?? "user \(self.user)" }
    var groupName: String { getgrgid(self.group).map { String(cString: $0.pointee.gr_name) } ?? "group \(self.group)" }
}

/// Where symbolic links lead.
private enum FileLink {
    /// As many as the kernel follows.
    private static let hopsMax = 40

    /// What a path stands for; there need be nothing.
    ///
    /// Root does not follow a link that leads out of what its owner has: whoever may write to one directory could
    /// otherwise have root replace any file.
    static func target(of path: String) throws(CommandFailure) -> String {
        var path = path
        for _ in 0..<Self.hopsMax {
            var link = stat()
            guard lstat(path, &link) == 0, link.st_mode & S_IFMT == S_IFLNK else { return path }
            guard let end = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
                throw .unwritable(path, errno)
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
        throw .unwritable(path, ELOOP)
    }
}

extension CommandFailure {
    fileprivate static func unwritable(_ path: String, _ code: Int32) -> CommandFailure {
        .unwritable(path, reason: String(cString: strerror(code)))
    }

    fileprivate static func unwritable(_ path: String, reason: String) -> CommandFailure {
        CommandFailure(
            .system, "cannot write \(path): \(reason); nothing was changed",
            next: "run it as a user that may write there, where there is room")
    }

    fileprivate static func ownerLost(_ path: String, _ owner: FileFacts) -> CommandFailure {
        CommandFailure(
            .system,
            "\(path) belongs to \(owner.userName):\(owner.groupName), and what you put in its place would not; nothing was changed",
            next: "run it as root, or as \(owner.userName)")
    }
}
