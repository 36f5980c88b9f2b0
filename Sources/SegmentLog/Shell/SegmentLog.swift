import DiskIO
import LogModel

/// An append-only log of records in segment files, for one process.
///
/// Any number of tasks may append, read and sync at the same time. Appends are placed one after the other; the order
/// of the log is the order in which they were placed, and each append is atomic, also across a crash. Readers neither
/// wait for writers nor hold them up.
///
/// ```swift
/// let (log, report) = try await SegmentLog.open(LogConfiguration(directory: "/var/lib/app/log"))
/// let appended = try await log.append(Record("hello"))
/// for try await record in try log.read(from: .index(appended.first)) { print(record.index) }
/// try await log.close()
/// ```
///
/// What an append promises when it returns is the ``FsyncPolicy``'s matter:
///
/// | policy | returns | may be lost in a power cut |
/// |---|---|---|
/// | `always` | after a sync shared with all who arrived meanwhile | nothing |
/// | `batch` | after the write | what is younger than the window |
/// | `os` | after the write | what the kernel has not written back |
///
/// A killed process loses nothing that an append returned for, under any policy. After a failed sync the log is closed
/// to writers for good; opening it again finds out what was kept.
public final class SegmentLog: Sendable {
    let shell: LogShell

    private init(_ shell: LogShell) { self.shell = shell }

    /// The last reference is gone: the log's thread syncs and closes it as far as it can; nobody waits for that.
    deinit { self.shell.abandon() }

    /// Opens the log in a directory, or makes one there.
    ///
    /// Takes the directory's lock, checks whose it is and recovers: a tail that was never synced is cut and
    /// reported, damage below what was synced is refused.
    ///
    /// - Parameter onEvent: Called with what happens in it, on the log's own threads, on that of a caller who leads a sync,
    ///   and on that of a reader who meets damage; must not block, nor wait for the log.
    /// - Returns: The log, and what recovery found.
    /// - Throws: ``LogError/configuration(_:)``, ``LogError/locked(holder:)``, ``LogError/foreignDirectory(_:)``,
    ///   ``LogError/sidecarDamaged(file:)``, ``LogError/damaged(_:)``, ``LogError/noSpace``,
    ///   ``LogError/storage(_:)``.
    /// - Complexity: O(segments), and reading the last segment unless the log was closed.
    public static func open(
        _ configuration: LogConfiguration, onEvent: (@Sendable (LogEvent) -> Void)? = nil
    ) async throws(LogError) -> (log: SegmentLog, report: RecoveryReport) {
        try await self.open(configuration, fileSystem: LinuxFileSystem(), onEvent: onEvent)
    }

    package static func open(
        _ configuration: LogConfiguration, fileSystem: any FileSystem, onEvent: (@Sendable (LogEvent) -> Void)? = nil
    ) async throws(LogError) -> (log: SegmentLog, report: RecoveryReport) {
        typealias Opening = Result<(LogShell, RecoveryReport), LogError>
        let opening = await withCheckedContinuation { (continuation: CheckedContinuation<Opening, Never>) in
            // Opening reads files: on the thread that goes on to serve the log, not on the caller's.
            let hasStarted = LogThread.start {
                do throws(LogError) {
                    let opened = try LogShell.open(configuration, fileSystem: fileSystem, tell: onEvent)
                    guard LogThread.start(opened.0.maintain) else { throw .noThread }
                    continuation.resume(returning: .success(opened))
                    opened.0.run()
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !hasStarted { continuation.resume(returning: .failure(.noThread)) }
        }
        let (shell, report) = try opening.get()
        return (SegmentLog(shell), report)
    }

    // MARK: Writing

    /// Appends one record; see ``append(contentsOf:)``.
    @discardableResult
    nonisolated(nonsending) public func append(_ record: Record) async throws(LogError) -> Appended {
        if self.shell.configuration.policy == .always { return try await self.shell.appendDurably([record]) }
        if let appended = try self.shell.appendAtOnce(record) { return appended }
        return try await self.shell.append(contentsOf: [record])
    }

    /// Appends records as one atomic batch: all or none of them are in the log, also after a crash.
    ///
    /// Encoded and checksummed before the lock is taken. Under `batch` and `os` the caller's own thread copies
    /// them to the kernel, and the call does not suspend.
    ///
    /// - Parameter records: 1 ... 65,535 records that together fit into a frame of 16 MiB and into one segment.
    /// - Returns: Where they stand.
    /// - Throws: ``LogError/noRecords``, ``LogError/tooManyRecords(count:max:)``, ``LogError/tooLarge(byteCount:max:)``,
    ///   ``LogError/noSpace``: the log is as it was. ``LogError/closed``, ``LogError/failed``: likewise.
    ///   ``LogError/storage(_:)``: when the sync failed, or a refused write could not be taken back, only the next start
    ///   knows whether the records were kept. ``LogError/beyondTail(tail:)``: a truncation removed them while they waited
    ///   for their sync.
    /// - Complexity: One copy, or one write where the file system does not keep reservations. Under `always` a write and a
    ///   sync, shared by all that arrived while the last one ran; a sync waits a millisecond at most for those of the last.
    @discardableResult
    nonisolated(nonsending) public func append(contentsOf records: [Record]) async throws(LogError) -> Appended {
        if self.shell.configuration.policy == .always { return try await self.shell.appendDurably(records) }
        return try await self.shell.append(contentsOf: records)
    }

    /// Returns once everything appended before is durable, under any policy. Does not hold up writers.
    ///
    /// - Throws: ``LogError/storage(_:)`` when the sync fails, afterwards ``LogError/failed``; ``LogError/closed``.
    public func sync() async throws(LogError) {
        try await self.shell.sync()
    }

    /// Removes everything from `position` on.
    ///
    /// Appends wait meanwhile. A reader that was further gets ``LogError/beyondTail(tail:)``.
    ///
    /// - Parameter position: Where a frame begins, or ``tail``.
    /// - Throws: ``LogError/noFrame(at:)``, ``LogError/beyondTail(tail:)``, ``LogError/trimmed(first:)``,
    ///   ``LogError/committed(through:)`` for the log's first frame: nothing was changed. ``LogError/storage(_:)``: the
    ///   log is closed to writers, and the next start finds either tail.
    public func truncate(from position: Position) async throws(LogError) {
        try await self.shell.request { .truncate(position, $0) }
    }

    /// Removes the segments that lie wholly below `position`, and are synced; what is in others stays.
    ///
    /// A reader that was there gets ``LogError/trimmed(first:)``.
    ///
    /// - Throws: ``LogError/storage(_:)``; files that could not be removed go at the next start.
    public func trim(before position: Position) async throws(LogError) {
        try await self.shell.trim(before: position)
    }

    /// Syncs everything, cuts the last segment to its length and marks a clean stop.
    ///
    /// Readers may read on; following ones end. Closing twice does nothing.
    ///
    /// - Throws: ``LogError/storage(_:)``, ``LogError/failed``; the log is closed all the same.
    public func close() async throws(LogError) {
        try await self.shell.request { .close($0) }
    }

    // MARK: Reading

    /// Records from `start` on, in order, each checked against its checksum.
    ///
    /// Reads up to what is visible: under `always` what is durable, otherwise what is written.
    ///
    /// - Parameter isFollowing: At the end, waits for what comes, until the log is closed or the task cancelled.
    /// - Returns: A sequence that any number of tasks may iterate, each from `start`.
    /// - Throws: ``LogError/trimmed(first:)``, ``LogError/noFrame(at:)``, ``LogError/beyondTail(tail:)``,
    ///   ``LogError/damaged(_:)``, ``LogError/storage(_:)``; while iterating the same.
    public func read(from start: ReadStart = .first, following isFollowing: Bool = false) throws(LogError) -> LogReader
    {
        try LogReader(self.shell, start: start, isFollowing: isFollowing)
    }

    /// As ``read(from:following:)``, from the frame that begins at `position`.
    public func read(from position: Position, following isFollowing: Bool = false) throws(LogError) -> LogReader {
        try LogReader(self.shell, start: .position(position), isFollowing: isFollowing)
    }

    /// Where the log begins.
    public var first: Position { self.shell.store.first }
    /// Where the next frame goes, unless it begins a segment.
    public var tail: Position { self.shell.store.written.position }
    /// Everything below is synced.
    public var durable: Position { self.shell.durable }
    /// The index of the first record that is not trimmed.
    public var firstIndex: LogIndex { self.shell.store.firstIndex }
    /// The index that the next record gets.
    public var nextIndex: LogIndex { self.shell.store.nextIndex }
    /// Names this log in every segment.
    public var cluster: ClusterID { self.shell.store.cluster }
    /// Ranges that do not hold what was once synced there, as far as readers, the scrubber and opening met them. Reads
    /// of them throw ``LogError/damaged(_:)``, all others go on.
    public var damage: [Damage] { self.shell.store.damage }
    /// How often a read found its file open, and how often not.
    public var descriptorCounts: (hits: UInt64, misses: UInt64) { self.shell.store.descriptorCounts }
}
