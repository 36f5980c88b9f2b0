import Glibc

/// Whose a file is, and what its owner, group and others may do with it.
struct FileFacts {
    var user: uid_t
    var group: gid_t
    /// The lowest nine bits; access control lists are not among them.
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

    /// Of a new file that root makes in somebody's directory; `nil` where it is the maker's own.
    static func heir(of path: String, mode: mode_t) -> FileFacts? {
        guard geteuid() == 0, var facts = FileFacts(Files.directory(of: path)), facts.user != 0 else { return nil }
        facts.mode = mode
        return facts
    }

    func note(_ path: String) -> String { "\(path) belongs to \(self.userName), as its directory does" }

    var userName: String { getpwuid(self.user).map { String(cString: $0.pointee.pw_name) } ?? "user \(self.user)" }
    var groupName: String { getgrgid(self.group).map { String(cString: $0.pointee.gr_name) } ?? "group \(self.group)" }
}
