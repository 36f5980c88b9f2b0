import DiskIO
import LogModel
import LogState
import SegmentFormat

/// The writing side of a log.
///
/// A segment's life:
///
///     next.tmp --prepareNextSegment--> allocated --append at offset 0--> active --the next one begins--> sealing
///         --sync--> sealed (exact length, synced) --trim--> gone
///
/// One thread at a time; whoever owns it orders the calls (hence `@unchecked Sendable`). Only
/// ``recordCommit(_:)`` and the readers' ``store`` may be used by any thread meanwhile, and a ``SyncJob`` performed.
/// There is no clock and no thread in here: time comes in as an argument.
package final class LogWriter: @unchecked Sendable {
    /// A segment that is full, and neither cut to its length nor synced yet.
    struct Sealing: Sendable {
        let file: any File
        /// What has to be written to it first.
        var staged: StagedFrames?
        /// Where it ends.
        let point: LogPoint
        var id: SegmentID { self.point.position.segment }
    }

    enum Condition: Hashable {
        case open, failed, closed
    }

    let files: LogFiles
    let segmentByteCountMax: Int
    package let store: LogStore
    let durableFile: DurableFile
    /// Kept so that the directory stays locked as long as anybody can write.
    let lock: DirectoryLock

    // What every append touches. Its owner is alone with it, and checking that at run time, access by access, took a tenth
    // of an append.
    /// The tail as written.
    @exclusivity(unchecked) package internal(set) var chain: FrameChain
    /// Everything below is synced.
    @exclusivity(unchecked) package internal(set) var durable: LogPoint
    @exclusivity(unchecked) var active: ActiveSegment
    var sealing: [Sealing] = []
    var prepared: PreparedSegment?
    /// A segment more, for what must be written although the disk is full: with it a node of a cluster can still store
    /// the trim that frees space. Logs of their own need none, since they trim without writing.
    var reserve: PreparedSegment?
    private let keepsReserve: Bool
    /// How frames come into the active segment, where the file system allows a choice. Nobody may read staged ones before
    /// their sync.
    let framePath: FramePath
    /// Bytes of full segments that wait in memory for the next sync.
    var sealedStagedByteCount = 0
    /// Segments sealed lately, whose index files are not written yet.
    var unindexed: [SegmentID] = []
    /// Entries were made or removed since the directory was last synced.
    var isDirectoryDirty = false
    @exclusivity(unchecked) var condition = Condition.open
    private var durableSyncedAt = MonotonicTime.zero

    init(
        files: LogFiles, segmentByteCountMax: Int, lock: DirectoryLock, store: LogStore, durableFile: DurableFile,
        chain: FrameChain, keepsReserve: Bool, framePath: FramePath
    ) throws(LogError) {
        self.files = files
        self.segmentByteCountMax = segmentByteCountMax
        self.lock = lock
        self.store = store
        self.durableFile = durableFile
        self.chain = chain
        self.durable = chain.point
        self.keepsReserve = keepsReserve
        self.framePath = framePath
        self.active = try ActiveSegment(chain.tail, files: files, byteCount: segmentByteCountMax, path: framePath)
    }

    /// The last commit position recorded.
    package var commit: Position { self.durableFile.record.commit }

    /// Whether the next segment waits under its temporary name, so that rotating costs no more than a rename.
    package var canRotate: Bool { self.prepared != nil }

    /// Whether the reserve is to be made.
    var isReserveMissing: Bool { self.keepsReserve && self.reserve == nil }

    /// A sync has failed: nothing is written any more.
    package var hasFailed: Bool { self.condition == .failed }

    /// Whether a sync would do anything.
    package var isSyncNeeded: Bool {
        self.durable != self.chain.point || !self.sealing.isEmpty || self.isDirectoryDirty
    }

    /// Whether ``takePopulation()`` would give something.
    package var isPopulationDue: Bool { self.active.isPopulationDue(tail: Int(self.chain.tail.offset)) }

    /// The tail's offset from which on it does.
    var populationDueOffset: Int { self.active.populationDueOffset }

    /// Bytes that a frame can still take in the active segment.
    package var remainingByteCount: Int { max(0, self.segmentByteCountMax - Int(self.chain.tail.offset)) }

    /// Bytes that wait in memory for the next sync.
    var stagedByteCount: Int { self.sealedStagedByteCount + self.active.stagedByteCount }

    func checkOpen() throws(LogError) {
        switch self.condition {
        case .open: return
        case .failed: throw .failed
        case .closed: throw .closed
        }
    }

    // MARK: Commit and DURABLE

    /// Notes how far the log is committed, so that the next start knows. Any thread; no system call.
    package func recordCommit(_ position: Position) {
        self.durableFile.update { $0.commit = max($0.commit, position) }
    }

    /// Carries DURABLE to the disk when that is due; to be called about once a second while nothing is appended.
    package func syncDurableFile(now: MonotonicTime) throws(LogError) {
        try self.checkOpen()
        guard self.takeDurableFileSync(now: now) else { return }
        do throws(LogError) {
            try self.durableFile.sync()
        } catch {
            self.fail()
            throw error
        }
    }

    /// Whether DURABLE is to be synced now; counts it as done.
    func takeDurableFileSync(now: MonotonicTime) -> Bool {
        let age = now.milliseconds(since: self.durableSyncedAt)
        guard self.durableFile.isDirty, age >= EngineLimits.durableSyncIntervalMilliseconds else { return false }
        self.durableSyncedAt = now
        return true
    }

    func noteDurableFileSync(now: MonotonicTime) { self.durableSyncedAt = now }

    /// When DURABLE is to be synced, if it was stored since.
    var durableSyncDue: MonotonicTime {
        self.durableSyncedAt.advanced(byMilliseconds: EngineLimits.durableSyncIntervalMilliseconds)
    }

    func storeDurable(_ point: LogPoint) {
        self.durable = point
        self.durableFile.update {
            $0.durable = point
            $0.isClean = false
            $0.isSyncOpen = false
        }
    }

    /// Nobody knows what is on disk any more: no write is let through again.
    func fail() {
        guard self.condition == .open else { return }
        self.condition = .failed
        self.durableFile.update { $0.isSyncOpen = true }
    }

    /// Syncs everything, cuts the active segment to its length and marks a clean stop. The lock goes; reads go on.
    ///
    /// Closing twice does nothing. After an error the log is closed all the same, and the next start recovers.
    ///
    /// - Parameter state: The log's own state at the tail; with it the next start need not read the last segment.
    package func close(now: MonotonicTime = .zero, state: LogState? = nil) throws(LogError) {
        if self.condition == .closed { return }
        defer {
            self.condition = .closed
            self.lock.release()
        }
        guard self.condition == .open else { throw .failed }
        try self.sync(now: now)
        let length = Int(self.chain.tail.offset)
        try disk { () throws(DiskError) in
            try self.active.file.truncate(to: length)
            try self.active.file.sync()
        }
        for spare in [self.prepared, self.reserve].compactMap(\.self) { try self.files.remove(spare.name) }
        self.prepared = nil
        self.reserve = nil
        try self.files.syncDirectory()
        let end = DurableRecord.CleanEnd(
            lastFrameOffset: self.chain.lastFrameOffset, lastFrameChecksum: self.chain.previousChecksum,
            stateChecksum: state.map { CRC32C.checksum($0.encoded().span.bytes) })
        try self.durableFile.reset {
            $0.isClean = true
            $0.end = end
        }
    }
}
