import DiskIO
import LogModel
import SystemPackage

/// A disk in memory that forgets like a real one.
///
/// What was not synced can be lost, in any order and by sectors of 512 bytes; so can directory entries. Mapped
/// pages are no different from written ones. Deterministic: the same calls and the same seed leave the same disk.
package final class SimulatedFileSystem: FileSystem {
    private let state: Lock<SimulatedDiskState>
    /// Called before each changing operation, without a lock held: a test can wait in it.
    private let observer: (@Sendable (DiskCall) -> Void)?

    package init(
        seed: UInt64 = 1, capacityByteCount: Int = .max, observer: (@Sendable (DiskCall) -> Void)? = nil
    ) {
        self.state = Lock(SimulatedDiskState(seed: seed, capacityByteCount: capacityByteCount))
        self.observer = observer
    }

    // MARK: What tests and the simulator do to it

    package var counts: DiskCounts { self.state.withLock { $0.counts } }

    /// Bytes that all files together may hold; what does not fit is refused with `ENOSPC`.
    package func setCapacity(byteCount: Int) { self.state.withLock { $0.capacityByteCount = byteCount } }

    /// Makes the changing operation with this number (``DiskCounts/operations``, from 1) go wrong.
    package func inject(_ fault: DiskFault, atOperation number: Int) {
        self.state.withLock { $0.faults[number] = fault }
    }

    /// Makes the next operation of this kind go wrong.
    package func inject(_ fault: DiskFault, atNext operation: DiskOperation) {
        self.state.withLock { $0.nextFaults[operation] = fault }
    }

    /// The process is gone, the kernel is not: all writes stay, locks and open files go.
    package func killProcess() { self.state.withLock { $0.killProcess() } }

    /// The machine is gone: what was not synced survives as `survival` says. Open files stop working.
    package func cutPower(_ survival: PowerCut = .losesSome) {
        self.state.withLock { $0.cutPower(survival) }
    }

    /// The contents as a reader would see them now; `nil` when there is no such file.
    package func contents(of path: FilePath) -> [UInt8]? {
        self.state.withLock { state in state.inode(at: path).map { state.inodes[$0]?.bytes ?? [] } }
    }

    /// Damages one bit of a file, on the platter and in every cache.
    package func flip(bit: Int, of path: FilePath) {
        self.state.withLock { state in
            if let number = state.inode(at: path) { state.inodes[number]?.flip(bit: bit) }
        }
    }

    // MARK: FileSystem

    package func makeDirectory(_ path: FilePath) throws(DiskError) {
        self.state.withLock { $0.makeDirectory(path) }
    }

    package func list(_ path: FilePath) throws(DiskError) -> [String] {
        try self.change(nil, path) { state throws(DiskError) in try state.list(path) }
    }

    package func open(_ path: FilePath, _ access: FileAccess) throws(DiskError) -> any File {
        let (inode, session) = try self.change(access == .create ? .create : nil, path) {
            state throws(DiskError) in
            (try state.open(path, access), state.session)
        }
        return SimulatedFile(self, path: path, inode: inode, session: session)
    }

    package func rename(_ source: FilePath, to target: FilePath) throws(DiskError) {
        try self.change(.rename, source) { state throws(DiskError) in try state.rename(source, to: target) }
    }

    package func remove(_ path: FilePath) throws(DiskError) {
        try self.change(.remove, path) { state throws(DiskError) in try state.remove(path) }
    }

    package func syncDirectory(_ path: FilePath) throws(DiskError) {
        try self.change(.syncDirectory, path) { state throws(DiskError) in try state.syncDirectory(path) }
    }

    package func lock(_ path: FilePath) throws(DiskError) -> LockOutcome {
        let session = try self.change(nil, path) { state throws(DiskError) in state.lock(path) }
        guard let session else { return .held(holder: "pid 1") }
        return .acquired(SimulatedLock(self, path: path, session: session))
    }

    // MARK: What its files call

    /// Runs `body` on the disk; `operation` is counted and can be made to fail, `nil` only reads.
    func change<Result: Sendable>(
        _ operation: DiskOperation?, _ path: FilePath, session: Int? = nil,
        onRefusal: (inout SimulatedDiskState) -> Void = { _ in },
        _ body: (inout SimulatedDiskState) throws(DiskError) -> Result
    ) throws(DiskError) -> Result {
        if let operation, let observer = self.observer {
            let number = self.state.withLock { $0.counts.operations + 1 }
            observer(DiskCall(operation: operation, path: path.string, number: number))
        }
        return try self.state.withLock { (state) throws(DiskError) -> Result in
            try state.admit(operation, path, session: session, onRefusal: onRefusal)
            return try body(&state)
        }
    }

    func release(inode: Int) { self.state.withLock { $0.release(inode: inode) } }

    func unlock(_ path: FilePath, session: Int) { self.state.withLock { $0.unlock(path, session: session) } }
}

/// Held until released or until its process is gone.
private final class SimulatedLock: HeldLock {
    private let fileSystem: SimulatedFileSystem
    private let path: FilePath
    private let session: Int

    init(_ fileSystem: SimulatedFileSystem, path: FilePath, session: Int) {
        self.fileSystem = fileSystem
        self.path = path
        self.session = session
    }

    deinit { self.fileSystem.unlock(self.path, session: self.session) }
}
