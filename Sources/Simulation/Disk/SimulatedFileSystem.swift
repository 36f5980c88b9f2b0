import DiskIO
import LogModel
import SystemPackage

/// A disk in memory that forgets like a real one.
///
/// What was not synced can be lost, in any order and by sectors of 512 bytes; so can directory entries. Mapped
/// pages are no different from written ones. Deterministic: the same calls and the same seed leave the same disk.
package final class SimulatedFileSystem: FileSystem {
    private struct Contents {
        var disk: SimulatedDiskState
        var recording: [DiskMoment]?

        mutating func record(_ operation: String, _ path: FilePath) {
            guard self.recording != nil else { return }
            let what = "\(operation) \(path.lastComponent?.string ?? path.string)"
            self.recording?.append(DiskMoment(step: self.disk.counts.steps, what: what, disk: self.disk))
        }
    }

    private let contents: Lock<Contents>
    /// Called before each changing operation, without a lock held: a test can wait in it.
    private let observer: (@Sendable (DiskCall) -> Void)?

    package init(
        seed: UInt64 = 1, capacityByteCount: Int = .max, observer: (@Sendable (DiskCall) -> Void)? = nil
    ) {
        self.contents = Lock(
            Contents(disk: SimulatedDiskState(seed: seed, capacityByteCount: capacityByteCount), recording: nil))
        self.observer = observer
    }

    /// A disk as it was at some moment; nobody has a file of it open.
    init(_ disk: SimulatedDiskState) {
        var disk = disk
        disk.killProcess()
        self.contents = Lock(Contents(disk: disk, recording: nil))
        self.observer = nil
    }

    /// What a reader of the whole disk would see now.
    func copied() -> SimulatedDiskState { self.withDisk { $0 } }

    // MARK: What tests and the simulator do to it

    package var counts: DiskCounts { self.withDisk { $0.counts } }
    /// A ``DiskFault/stop`` was met: the machine is gone.
    var isStopped: Bool { self.withDisk { $0.isStopped } }
    /// What the process that runs was refused: a fault was placed there, or there was no room.
    var refused: Set<DiskOperation> { self.withDisk { $0.refused } }

    /// Bytes that all files together may hold; what does not fit is refused with `ENOSPC`.
    package func setCapacity(byteCount: Int) { self.withDisk { $0.capacityByteCount = byteCount } }

    /// Leaves room for so many bytes more; what is removed makes room again.
    func fill(leaving byteCount: Int) { self.withDisk { $0.capacityByteCount = $0.usedByteCount + byteCount } }

    /// Makes the changing operation with this number (``DiskCounts/operations``, from 1) go wrong.
    package func inject(_ fault: DiskFault, atOperation number: Int) {
        self.withDisk { $0.faults[number] = fault }
    }

    /// Keeps what each call was from now on: the numbers for ``inject(_:atCall:)``.
    package func startLoggingCalls() { self.withDisk { $0.callLog = [] } }
    package var callLog: [DiskOperation] { self.withDisk { $0.callLog ?? [] } }

    /// Makes the call with this number (``DiskCounts/calls``, from 1) go wrong, whatever it is.
    package func inject(_ fault: DiskFault, atCall number: Int) {
        self.withDisk { $0.callFaults[number] = fault }
    }

    /// Makes the next operation of this kind go wrong.
    package func inject(_ fault: DiskFault, atNext operation: DiskOperation) {
        self.withDisk { $0.nextFaults[operation] = fault }
    }

    /// The process is gone, the kernel is not: all writes stay, locks and open files go.
    package func killProcess() { self.withDisk { $0.killProcess() } }

    /// The machine is gone: what was not synced survives as `survival` says. Open files stop working.
    package func cutPower(_ survival: PowerCut = .losesSome) {
        self.withDisk { $0.cutPower(survival) }
    }

    /// The contents as a reader would see them now; `nil` when there is no such file.
    package func contents(of path: FilePath) -> [UInt8]? {
        self.withDisk { state in state.inode(at: path).map { state.inodes[$0]?.bytes ?? [] } }
    }

    /// What a file holds from now on, on the platter and in every cache; `nil` takes the file away.
    package func replaceContents(of path: FilePath, with bytes: [UInt8]?) {
        self.withDisk { $0.replaceContents(of: path, with: bytes) }
    }

    /// Whether room that was reserved is sure to be there, as files are told.
    package var keepsReservations: Bool { self.withDisk { $0.keepsReservations } }
    package func setKeepsReservations(_ keeps: Bool) { self.withDisk { $0.keepsReservations = keeps } }

    /// Makes syncs of this kind report success and carry nothing, until the process or the power goes: a log that forgets
    /// one behaves the same.
    package func lie(about operation: DiskOperation) { self.withDisk { _ = $0.lies.insert(operation) } }

    /// Another disk with the same contents, synced or not, of which nobody has a file open. Cheap: shares all bytes.
    package func copy() -> SimulatedFileSystem { SimulatedFileSystem(self.withDisk { $0 }) }

    /// Keeps the state after each step from now on, for a ``CrashExplorer``; the first is the state as it is now.
    ///
    /// Cost: with each step a copy of the file that it changes.
    package func startRecording() {
        self.contents.withLock { contents in
            contents.recording = [DiskMoment(step: contents.disk.counts.steps, what: "start", disk: contents.disk)]
        }
    }

    /// Ends the recording.
    package func takeRecording() -> [DiskMoment] {
        self.contents.withLock { contents in
            defer { contents.recording = nil }
            return contents.recording ?? []
        }
    }

    /// Damages one bit of a file, on the platter and in every cache.
    package func flip(bit: Int, of path: FilePath) {
        self.withDisk { state in
            if let number = state.inode(at: path) { state.inodes[number]?.flip(bit: bit) }
        }
    }

    /// Breaks the sector that holds a byte: reading it is refused from now on.
    package func breakSector(holding offset: Int, of path: FilePath) {
        self.withDisk { state in
            if let number = state.inode(at: path) { state.inodes[number]?.breakSector(holding: offset) }
        }
    }

    // MARK: FileSystem

    /// The file system as the process sees it that runs now: refused everything once that is dead.
    package func process() -> SimulatedProcess { SimulatedProcess(self, session: self.withDisk { $0.session }) }

    /// As any process: what a test does itself outlives those it kills.
    private var everyProcess: SimulatedProcess { SimulatedProcess(self, session: nil) }

    package var boot: BootIdentity { self.withDisk { BootIdentity(high: 0, low: $0.boot) } }

    package func makeDirectory(_ path: FilePath) throws(DiskError) { try self.everyProcess.makeDirectory(path) }
    package func list(_ path: FilePath) throws(DiskError) -> [String] { try self.everyProcess.list(path) }
    package func remove(_ path: FilePath) throws(DiskError) { try self.everyProcess.remove(path) }
    package func syncDirectory(_ path: FilePath) throws(DiskError) { try self.everyProcess.syncDirectory(path) }
    package func lock(_ path: FilePath) throws(DiskError) -> LockOutcome { try self.everyProcess.lock(path) }

    package func open(_ path: FilePath, _ access: FileAccess) throws(DiskError) -> any File {
        try self.everyProcess.open(path, access)
    }

    package func rename(_ source: FilePath, to target: FilePath) throws(DiskError) {
        try self.everyProcess.rename(source, to: target)
    }

    // MARK: What its files call

    /// Runs `body` on the disk, unless a fault is placed on the operation.
    func change<Result: Sendable>(
        _ operation: DiskOperation, _ path: FilePath, session: Int? = nil,
        onRefusal: (inout SimulatedDiskState) -> Void = { _ in },
        _ body: (inout SimulatedDiskState) throws(DiskError) -> Result
    ) throws(DiskError) -> Result {
        if operation.isChange, let observer = self.observer {
            let number = self.counts.operations + 1
            observer(DiskCall(operation: operation, path: path.string, number: number))
        }
        return try self.contents.withLock { (contents) throws(DiskError) -> Result in
            defer { if operation.isChange { contents.record(operation.rawValue, path) } }
            try contents.disk.admit(operation, path, session: session, onRefusal: onRefusal)
            return try body(&contents.disk)
        }
    }

    /// Runs `body`, a store into a mapping, unless the process or the machine is gone.
    func store(_ path: FilePath, session: Int, _ body: (inout SimulatedDiskState) -> Void) {
        self.contents.withLock { contents in
            guard contents.disk.admitStore(session: session) else { return }
            body(&contents.disk)
            contents.record("store", path)
        }
    }

    private func withDisk<Result: Sendable>(_ body: (inout SimulatedDiskState) -> Result) -> Result {
        self.contents.withLock { body(&$0.disk) }
    }

    func release(inode: Int) { self.withDisk { $0.release(inode: inode) } }

    func unlock(_ path: FilePath, session: Int) { self.withDisk { $0.unlock(path, session: session) } }
}
