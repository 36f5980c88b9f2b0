import Glibc

/// Tells the file behind a path, and behind its links, from what stood there before, without reading it.
///
/// A file that is replaced by renaming is another one even where size and time are the same: its inode is.
struct FileStamp: Hashable, Sendable {
    private var device: UInt64
    private var inode: UInt64
    private var byteCount: Int64
    private var seconds: Int
    private var nanoseconds: Int

    /// - Returns: `nil` when there is no such file.
    init?(_ path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        self.device = UInt64(facts.st_dev)
        self.inode = UInt64(facts.st_ino)
        self.byteCount = Int64(facts.st_size)
        self.seconds = facts.st_mtim.tv_sec
        self.nanoseconds = facts.st_mtim.tv_nsec
    }
}
