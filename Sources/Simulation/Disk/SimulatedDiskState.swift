import DiskIO
import SystemPackage

/// The disk behind a ``SimulatedFileSystem``: directories, inodes, what is to go wrong.
struct SimulatedDiskState: Sendable {
    var inodes: [Int: SimulatedInode] = [:]
    var counts = DiskCounts()
    var faults: [Int: DiskFault] = [:]
    var callFaults: [Int: DiskFault] = [:]
    var nextFaults: [DiskOperation: DiskFault] = [:]
    /// What each call was, while somebody wants to know.
    var callLog: [DiskOperation]?
    var capacityByteCount: Int
    var keepsReservations = true
    /// Syncs that report success and carry nothing.
    var lies: Set<DiskOperation> = []
    /// Raised when the process dies: files and locks of an earlier session are dead.
    private(set) var session = 0
    /// Counts the machine's starts.
    private(set) var boot: UInt64 = 1
    private var directories: [String: SimulatedDirectory] = [:]
    private var locks: Set<String> = []
    private(set) var isStopped = false
    /// What the process that runs was refused: a fault was placed there, or there was no room.
    private(set) var refused: Set<DiskOperation> = []
    private var nextInode = 1
    private var random: DiskRandom

    init(seed: UInt64, capacityByteCount: Int) {
        self.random = DiskRandom(seed: seed)
        self.capacityByteCount = capacityByteCount
    }

    /// Counts a call and refuses it when a fault is placed on it.
    mutating func admit(
        _ operation: DiskOperation, _ path: FilePath, session: Int?, onRefusal: (inout Self) -> Void
    ) throws(DiskError) {
        guard !self.isStopped, session == nil || session == self.session else {
            throw DiskError(.ioError, operation, path)
        }
        self.counts.calls += 1
        self.callLog?.append(operation)
        var fault = self.callFaults.removeValue(forKey: self.counts.calls)
        if operation.isChange {
            self.counts.operations += 1
            self.counts.steps += 1
            fault = fault ?? self.faults.removeValue(forKey: self.counts.operations)
        }
        fault = fault ?? self.nextFaults.removeValue(forKey: operation)
        switch fault {
        case nil:
            return
        case .refuse(let errno):
            self.refused.insert(operation)
            onRefusal(&self)
            throw DiskError(errno, operation, path)
        case .stop:
            onRefusal(&self)
            self.isStopped = true
            throw DiskError(.ioError, operation, path)
        }
    }

    /// Whether a store into a mapping still happens: not by a process that is gone, or on a machine that is.
    mutating func admitStore(session: Int) -> Bool {
        guard !self.isStopped, session == self.session else { return false }
        self.counts.steps += 1
        return true
    }

    // MARK: Directories

    mutating func makeDirectory(_ path: FilePath) {
        if self.directories[path.string] == nil { self.directories[path.string] = SimulatedDirectory() }
    }

    func list(_ path: FilePath) throws(DiskError) -> [String] {
        guard let directory = self.directories[path.string] else {
            throw DiskError(.noSuchFileOrDirectory, .list, path)
        }
        return directory.entries.keys.sorted()
    }

    func inode(at path: FilePath) -> Int? {
        let (directory, name) = Self.split(path)
        return self.directories[directory]?.entries[name]
    }

    mutating func open(_ path: FilePath, _ access: FileAccess) throws(DiskError) -> Int {
        self.counts.opens += 1
        if access != .create {
            guard let inode = self.inode(at: path) else {
                throw DiskError(.noSuchFileOrDirectory, .open, path)
            }
            self.inodes[inode]?.openCount += 1
            return inode
        }
        guard self.inode(at: path) == nil else { throw DiskError(.fileExists, .create, path) }
        let inode = self.nextInode
        self.nextInode += 1
        var file = SimulatedInode()
        file.openCount = 1
        self.inodes[inode] = file
        try self.apply(.link(Self.name(path), inode: inode), at: path, .create)
        return inode
    }

    mutating func rename(_ source: FilePath, to target: FilePath) throws(DiskError) {
        guard let inode = self.inode(at: source) else { throw DiskError(.noSuchFileOrDirectory, .rename, source) }
        try self.apply(.rename(Self.name(source), to: Self.name(target), inode: inode), at: source, .rename)
    }

    mutating func remove(_ path: FilePath) throws(DiskError) {
        guard self.inode(at: path) != nil else { throw DiskError(.noSuchFileOrDirectory, .remove, path) }
        try self.apply(.unlink(Self.name(path)), at: path, .remove)
        self.collect()
    }

    mutating func syncDirectory(_ path: FilePath) throws(DiskError) {
        guard self.directories[path.string] != nil else {
            throw DiskError(.noSuchFileOrDirectory, .syncDirectory, path)
        }
        if !self.lies.contains(.syncDirectory) { self.directories[path.string]?.sync() }
        self.counts.directorySyncs += 1
        self.collect()
    }

    private mutating func apply(
        _ change: SimulatedDirectory.Change, at path: FilePath, _ operation: DiskOperation
    ) throws(DiskError) {
        let directory = Self.split(path).directory
        guard self.directories[directory] != nil else { throw DiskError(.noSuchFileOrDirectory, operation, path) }
        self.directories[directory]?.apply(change, step: self.counts.steps)
    }

    private static func name(_ path: FilePath) -> String { Self.split(path).name }

    /// On the text, since the components of a `FilePath` are slow and this is asked for at every call.
    private static func split(_ path: FilePath) -> (directory: String, name: String) {
        let text = path.string
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", text) }
        return (String(text[..<slash]), String(text[text.index(after: slash)...]))
    }

    mutating func replaceContents(of path: FilePath, with bytes: [UInt8]?) {
        let (directory, name) = Self.split(path)
        guard let bytes else {
            self.directories[directory]?.applyDurable(.unlink(name))
            return
        }
        if self.inode(at: path) == nil {
            self.inodes[self.nextInode] = SimulatedInode()
            self.directories[directory]?.applyDurable(.link(name, inode: self.nextInode))
            self.nextInode += 1
        }
        if let inode = self.inode(at: path) { self.inodes[inode]?.replace(with: bytes) }
    }

    // MARK: Files

    /// Bytes that all files together hold.
    var usedByteCount: Int { self.inodes.values.reduce(0) { $0 + $1.bytes.count } }

    /// Refuses growth that does not fit.
    mutating func reserve(_ growth: Int, _ operation: DiskOperation, _ path: FilePath) throws(DiskError) {
        guard growth > 0, self.capacityByteCount != .max else { return }
        guard self.usedByteCount + growth <= self.capacityByteCount else {
            self.refused.insert(operation)
            throw DiskError(.noSpace, operation, path)
        }
    }

    mutating func noteSync(of inode: Int, session: Int) {
        if self.inodes[inode]?.failedSession == session { self.counts.syncsAfterFailure += 1 }
    }

    mutating func release(inode: Int) {
        self.inodes[inode]?.openCount -= 1
        self.collect()
    }

    /// Forgets inodes that nothing can name any more.
    private mutating func collect() {
        let candidates = self.inodes.filter { $0.value.openCount <= 0 }.map(\.key)
        guard !candidates.isEmpty else { return }
        let reachable = self.directories.values.reduce(into: Set<Int>()) { $0.formUnion($1.reachable) }
        for inode in candidates where !reachable.contains(inode) { self.inodes[inode] = nil }
    }

    // MARK: Locks and crashes

    /// - Returns: The session that holds it now, or `nil` when it is held already.
    mutating func lock(_ path: FilePath) -> Int? {
        self.locks.insert(path.string).inserted ? self.session : nil
    }

    mutating func unlock(_ path: FilePath, session: Int) {
        if session == self.session { self.locks.remove(path.string) }
    }

    mutating func killProcess() {
        self.session += 1
        self.locks.removeAll()
        self.faults.removeAll()
        self.callFaults.removeAll()
        self.lies.removeAll()
        self.nextFaults.removeAll()
        self.isStopped = false
        self.refused.removeAll()
    }

    mutating func cutPower(_ survival: PowerCut) {
        self.killProcess()
        self.boot += 1
        for name in self.directories.keys.sorted() {
            self.directories[name]?.cutPower(survival, random: &self.random)
        }
        for number in self.inodes.keys.sorted() {
            self.inodes[number]?.cutPower(survival, random: &self.random)
        }
        self.collect()
    }

    // MARK: Exact power cuts

    /// Goes back to what was synced, in every file and directory.
    ///
    /// - Returns: The changes that were taken back, in the order in which they were made.
    mutating func loseUnsynced() -> [DiskUnit] {
        self.killProcess()
        var units: [DiskUnit] = []
        for name in self.directories.keys.sorted() {
            units += self.directories[name]?.loseUnsynced(of: name) ?? []
        }
        for number in self.inodes.keys.sorted() { units += self.inodes[number]?.loseUnsynced(of: number) ?? [] }
        // Not stable by itself.
        return units.enumerated().sorted { ($0.element.step, $0.offset) < ($1.element.step, $1.offset) }.map(\.element)
    }

    /// Applies a change that had reached the disk.
    mutating func apply(_ unit: DiskUnit) {
        switch unit.effect {
        case .bytes(let inode, _, _, _), .length(let inode, _): self.inodes[inode]?.apply(unit.effect)
        case .entry(let directory, let change): self.directories[directory]?.applyDurable(change)
        }
    }

    /// The same for the same names and contents, whatever way they came about.
    var fingerprint: Int {
        var hasher = Hasher()
        for (path, directory) in self.directories.sorted(by: { $0.key < $1.key }) {
            hasher.combine(path)
            for (name, inode) in directory.entries.sorted(by: { $0.key < $1.key }) {
                hasher.combine(name)
                guard let bytes = self.inodes[inode]?.bytes else { continue }
                hasher.combine(bytes.count)
                bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
            }
        }
        return hasher.finalize()
    }
}
