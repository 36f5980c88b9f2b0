import Glibc
import SystemPackage

/// A directory that is held open: what is done in it is done in it, wherever its path leads meanwhile.
struct OpenDirectory: ~Copyable {
    private let descriptor: Int32

    private static let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(self.descriptor) }

    /// Behind links, too.
    ///
    /// - Throws: The system's reason, as all here do.
    static func open(_ path: String) throws(Errno) -> OpenDirectory {
        try Self.opened(openat(AT_FDCWD, path, Self.flags))
    }

    private static func opened(_ descriptor: Int32) throws(Errno) -> OpenDirectory {
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        return OpenDirectory(descriptor: descriptor)
    }

    // MARK: Directories in it

    /// Makes what is missing of a path, for root: all of it belongs to whom the nearest directory does that was there.
    ///
    /// - Throws: What was made until then stays.
    static func make(_ path: String) throws(Errno) {
        var around = try Self.open(path.hasPrefix("/") ? "/" : ".")
        for name in path.split(separator: "/") { around = try around.inner(String(name)) }
    }

    private func inner(_ name: String) throws(Errno) -> OpenDirectory {
        let descriptor = openat(self.descriptor, name, Self.flags)
        guard descriptor >= 0 || errno != ENOENT else { return try self.made(name) }
        return try Self.opened(descriptor)
    }

    private func made(_ name: String) throws(Errno) -> OpenDirectory {
        guard mkdirat(self.descriptor, name, 0o777) == 0 else { throw Errno(rawValue: errno) }
        // Whose directory this is may have put another one of theirs in its place already, or a link to one of root's:
        // what is given away is what was made, and nothing else.
        let made = try Self.opened(openat(self.descriptor, name, Self.flags | O_NOFOLLOW))
        guard let facts = FileFacts(made.descriptor), let heir = FileFacts(self.descriptor) else {
            throw Errno(rawValue: errno)
        }
        guard facts.user == geteuid() else { throw .notPermitted }
        guard heir.user == facts.user || fchown(made.descriptor, heir.user, heir.group) == 0 else {
            throw Errno(rawValue: errno)
        }
        return made
    }

    // MARK: Locking

    /// Ten seconds: whoever changes a file in it has it for milliseconds, and anybody who may read it can lock it for ever.
    private static let tries = 400
    private static let microsecondsBetweenTries: useconds_t = 25_000

    /// Keeps out others that lock it before they change something in it, until ``unlock()``; nothing stands in it for that.
    ///
    /// - Throws: ``Errno/wouldBlock`` when others have had it for ten seconds.
    func lock() throws(Errno) {
        for attempt in 1...Self.tries {
            if flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 { return }
            let reason = Errno(rawValue: errno)
            guard reason == .wouldBlock || reason == .interrupted, attempt < Self.tries else { throw reason }
            usleep(Self.microsecondsBetweenTries)
        }
    }

    func unlock() { _ = flock(self.descriptor, LOCK_UN) }
}
