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
        try self.change(nil) { state throws(DiskError) in
            state.counts.reads += 1
            let bytes = state.inodes[self.inode]?.bytes ?? []
            return Array(bytes[min(offset, bytes.count)..<min(offset + count, bytes.count)])
        }
    }

    func write(_ bytes: RawSpan, at offset: Int) throws(DiskError) {
        let new = bytes.withUnsafeBytes { Array($0) }
        try self.fileSystem.change(
            .write, self.path, session: self.session,
            // Half of it is there: what a kernel may do when it refuses a write.
            onRefusal: { $0.inodes[self.inode]?.write(Array(new[..<(new.count / 2)]), at: offset) },
            { state throws(DiskError) in try self.write(new, at: offset, in: &state) }
        )
    }

    func sync() throws(DiskError) {
        try self.change(.sync) { state throws(DiskError) in
            state.counts.syncs += 1
            state.inodes[self.inode]?.sync()
        }
    }

    func truncate(to byteCount: Int) throws(DiskError) {
        try self.change(.truncate) { state throws(DiskError) in
            state.inodes[self.inode]?.resize(to: byteCount)
        }
    }

    func allocate(byteCount: Int) throws(DiskError) {
        try self.change(.allocate) { state throws(DiskError) in
            let growth = byteCount - (state.inodes[self.inode]?.bytes.count ?? 0)
            guard growth > 0 else { return }
            try state.reserve(growth, .allocate, self.path)
            state.inodes[self.inode]?.resize(to: byteCount)
        }
    }

    func byteCount() throws(DiskError) -> Int {
        try self.change(nil) { state throws(DiskError) in state.inodes[self.inode]?.bytes.count ?? 0 }
    }

    func map(byteCount: Int) throws(DiskError) -> any Mapping {
        guard try self.byteCount() >= byteCount else { throw DiskError(.invalidArgument, .map, self.path) }
        return SimulatedMapping(self, byteCount: byteCount)
    }

    var keepsReservations: Bool { true }

    /// A store into a mapping: never refused, lost like a write.
    fileprivate func store(_ bytes: [UInt8], at offset: Int) {
        // A store by a process that is gone, or on a machine that is, never happened.
        _ = try? self.change(nil) { state throws(DiskError) in
            state.inodes[self.inode]?.write(bytes, at: offset)
        }
    }

    fileprivate func syncMapping() throws(DiskError) {
        try self.change(.syncMapping) { state throws(DiskError) in
            state.counts.mappingSyncs += 1
            state.inodes[self.inode]?.sync()
        }
    }

    private func write(_ new: [UInt8], at offset: Int, in state: inout SimulatedDiskState) throws(DiskError) {
        state.counts.writes += 1
        let growth = offset + new.count - (state.inodes[self.inode]?.bytes.count ?? 0)
        do {
            try state.reserve(growth, .write, self.path)
        } catch {
            let fitting = max(0, new.count - growth)
            state.inodes[self.inode]?.write(Array(new[..<fitting]), at: offset)
            throw error
        }
        state.inodes[self.inode]?.write(new, at: offset)
    }

    private func change<Result: Sendable>(
        _ operation: DiskOperation?, _ body: (inout SimulatedDiskState) throws(DiskError) -> Result
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
