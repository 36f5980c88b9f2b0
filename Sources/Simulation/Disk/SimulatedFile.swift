import DiskIO
import SystemPackage

/// An open file of a ``SimulatedFileSystem``.
final class SimulatedFile: File {
    private let fileSystem: SimulatedFileSystem
    private let path: FilePath
    private let inode: Int
    private let session: Int

    init(_ fileSystem: SimulatedFileSystem, path: FilePath, inode: Int, session: Int) {
        self.fileSystem = fileSystem
        self.path = path
        self.inode = inode
        self.session = session
    }

    deinit { self.fileSystem.release(inode: self.inode) }

    func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        try self.change(.read) { state throws(DiskError) in
            state.counts.reads += 1
            let bytes = state.inodes[self.inode]?.bytes ?? []
            let range = min(offset, bytes.count)..<min(offset + count, bytes.count)
            guard state.inodes[self.inode]?.isReadable(range) ?? true else {
                throw DiskError(.ioError, .read, self.path)
            }
            return Array(bytes[range])
        }
    }

    func write(_ bytes: RawSpan, at offset: Int) throws(DiskError) {
        let new = bytes.withUnsafeBytes { Array($0) }
        try self.fileSystem.change(
            .write, self.path, session: self.session,
            // Half of it is there: what a kernel may do when it refuses a write.
            onRefusal: { self.put(Array(new[..<(new.count / 2)]), at: offset, in: &$0) },
            { state throws(DiskError) in try self.write(new, at: offset, in: &state) }
        )
    }

    func sync() throws(DiskError) {
        try self.carry(.sync) { $0.syncs += 1 }
    }

    func truncate(to byteCount: Int) throws(DiskError) {
        try self.change(.truncate) { state throws(DiskError) in
            state.inodes[self.inode]?.resize(to: byteCount, step: state.counts.steps)
        }
    }

    func allocate(byteCount: Int) throws(DiskError) {
        try self.change(.allocate) { state throws(DiskError) in
            let growth = byteCount - (state.inodes[self.inode]?.bytes.count ?? 0)
            guard growth > 0 else { return }
            try state.reserve(growth, .allocate, self.path)
            state.inodes[self.inode]?.resize(to: byteCount, step: state.counts.steps)
        }
    }

    func byteCount() throws(DiskError) -> Int {
        try self.change(.status) { state throws(DiskError) in state.inodes[self.inode]?.bytes.count ?? 0 }
    }

    func map(byteCount: Int) throws(DiskError) -> any Mapping {
        let length = try self.change(.map) { state throws(DiskError) in state.inodes[self.inode]?.bytes.count ?? 0 }
        guard length >= byteCount else { throw DiskError(.invalidArgument, .map, self.path) }
        return SimulatedMapping(self, byteCount: byteCount)
    }

    var keepsReservations: Bool { self.fileSystem.keepsReservations }

    /// A store into a mapping: never refused, lost like a write.
    fileprivate func store(_ bytes: [UInt8], at offset: Int) {
        self.fileSystem.store(self.path, session: self.session) { state in
            state.inodes[self.inode]?.store(bytes, at: offset, step: state.counts.steps)
        }
    }

    fileprivate func syncMapping() throws(DiskError) {
        try self.carry(.syncMapping) { $0.mappingSyncs += 1 }
    }

    /// Carries everything to the platter, or strands it.
    private func carry(_ operation: DiskOperation, count: (inout DiskCounts) -> Void) throws(DiskError) {
        try self.fileSystem.change(
            operation, self.path, session: self.session,
            onRefusal: { state in
                state.noteSync(of: self.inode, session: self.session)
                state.inodes[self.inode]?.failedSession = self.session
                state.inodes[self.inode]?.failSync()
            },
            { state throws(DiskError) in
                count(&state.counts)
                state.noteSync(of: self.inode, session: self.session)
                if !state.lies.contains(operation) { state.inodes[self.inode]?.sync() }
            }
        )
    }

    private func write(_ new: [UInt8], at offset: Int, in state: inout SimulatedDiskState) throws(DiskError) {
        state.counts.writes += 1
        let growth = offset + new.count - (state.inodes[self.inode]?.bytes.count ?? 0)
        do {
            try state.reserve(growth, .write, self.path)
        } catch {
            let fitting = max(0, new.count - growth)
            self.put(Array(new[..<fitting]), at: offset, in: &state)
            throw error
        }
        self.put(new, at: offset, in: &state)
    }

    private func put(_ bytes: [UInt8], at offset: Int, in state: inout SimulatedDiskState) {
        state.inodes[self.inode]?.write(bytes, at: offset, step: state.counts.steps)
    }

    private func change<Result: Sendable>(
        _ operation: DiskOperation, _ body: (inout SimulatedDiskState) throws(DiskError) -> Result
    ) throws(DiskError) -> Result {
        try self.fileSystem.change(operation, self.path, session: self.session, body)
    }
}

/// A mapping of a ``SimulatedFile``.
private final class SimulatedMapping: Mapping {
    private let file: SimulatedFile
    let byteCount: Int

    init(_ file: SimulatedFile, byteCount: Int) {
        self.file = file
        self.byteCount = byteCount
    }

    func load() -> [UInt8] { (try? self.file.read(at: 0, count: self.byteCount)) ?? [] }

    func store(_ bytes: RawSpan, at offset: Int) {
        precondition(offset >= 0 && offset + bytes.byteCount <= self.byteCount, "store outside the mapping")
        self.file.store(bytes.withUnsafeBytes { Array($0) }, at: offset)
    }

    /// Contents do not change, and every page is there already.
    func populate(_: Range<Int>) {}

    func sync() throws(DiskError) { try self.file.syncMapping() }
}
