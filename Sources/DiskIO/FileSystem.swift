import SystemPackage

/// How a file is opened.
package enum FileAccess: Hashable, Sendable {
    /// The file must exist; writing to it is a mistake.
    case read
    /// Reading and writing; the file must exist.
    case write
    /// Reading and writing; the file must not exist, and is made.
    case create
}

/// Who has a lock now.
package enum LockOutcome: Sendable {
    /// Held until the value is released.
    case acquired(any HeldLock)
    /// Somebody else holds it; `holder` is what they wrote into the file.
    case held(holder: String)
}

/// A lock; released when the last reference goes.
package protocol HeldLock: AnyObject, Sendable {}

/// The seam between the engine and the disk: Linux behind it in life, ``Simulation`` in tests.
///
/// All calls are synchronous and may come from any thread. An entry of a directory (made, renamed, removed)
/// is only sure to survive a power cut after ``syncDirectory(_:)``; the contents of a file after ``File/sync()``.
package protocol FileSystem: Sendable {
    /// Makes `path` and what is missing above it; nothing happens when it is there.
    func makeDirectory(_ path: FilePath) throws(DiskError)
    /// Names of all entries, sorted.
    func list(_ path: FilePath) throws(DiskError) -> [String]
    func open(_ path: FilePath, _ access: FileAccess) throws(DiskError) -> any File
    /// Replaces `target` atomically if it exists.
    func rename(_ source: FilePath, to target: FilePath) throws(DiskError)
    func remove(_ path: FilePath) throws(DiskError)
    func syncDirectory(_ path: FilePath) throws(DiskError)
    /// Which run of the kernel this is.
    var boot: BootIdentity { get }
    /// Takes the lock file at `path`, made when missing, without waiting.
    func lock(_ path: FilePath) throws(DiskError) -> LockOutcome
}

/// An open file. Closed when the last reference goes, so that nobody can close it under a reader.
package protocol File: AnyObject, Sendable {
    /// - Returns: `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8]
    /// As ``read(at:count:)``, into the storage of `bytes` where nobody else uses it: what they held goes.
    func read(at offset: Int, count: Int, into bytes: inout [UInt8]) throws(DiskError)
    /// Writes all of `bytes`. After an error any part of them may be in the file.
    func write(_ bytes: RawSpan, at offset: Int) throws(DiskError)
    /// Contents and length are durable on return (`fdatasync`). After an error nothing is known about any
    /// write since the last success: never retry.
    func sync() throws(DiskError)
    func truncate(to byteCount: Int) throws(DiskError)
    /// Reserves room for `byteCount` bytes and makes the file at least that long; new bytes read as zero.
    func allocate(byteCount: Int) throws(DiskError)
    func byteCount() throws(DiskError) -> Int
    /// Maps the first `byteCount` bytes, shared and writable. The file must be that long.
    func map(byteCount: Int) throws(DiskError) -> any Mapping
    /// Whether room that ``allocate(byteCount:)`` reserved is sure to be there when a page of a mapping is written
    /// back. Where it is not (copy-on-write file systems, network file systems), a store into a mapping could end the
    /// process for want of space, and writes are the way.
    var keepsReservations: Bool { get }
}

extension File {
    package func read(at offset: Int, count: Int, into bytes: inout [UInt8]) throws(DiskError) {
        bytes = []
        bytes = try self.read(at: offset, count: count)
    }
}

/// A mapped piece of a file: a store survives the process at once, a power cut after ``sync()`` or ``File/sync()``.
///
/// A page that the disk cannot deliver, or a file that somebody else shortened, ends the process (`SIGBUS`).
package protocol Mapping: AnyObject, Sendable {
    var byteCount: Int { get }
    func load() -> [UInt8]
    /// Copies `bytes` into place. Stores into disjoint ranges may be made by several threads at a time.
    func store(_ bytes: RawSpan, at offset: Int)
    /// Makes the pages of `range` present and writable ahead of the stores, so that these do not wait for the kernel.
    ///
    /// A hint: contents stay as they are, also those stored meanwhile, and a refusal means nothing.
    func populate(_ range: Range<Int>)
    func sync() throws(DiskError)
}
