import DiskIO
import LogModel

/// The file DURABLE: one mapped page with two slots (see ``DurableRecord``), written in turn.
///
///     slots at 0 and 2,048
///
/// A store is exact after the death of the process, since the kernel keeps the page; ``sync()`` carries it through
/// a power cut. Callable from any thread.
final class DurableFile: Sendable {
    private struct State {
        var record: DurableRecord
        var sequence: UInt64
        /// Stored, and not carried to the disk since.
        var isDirty = false
    }

    static let magic: UInt32 = 0x5544_4648
    static let offsets = [0, 2048]
    static let byteCount = 4096

    private let page: any Mapping
    private let state: Lock<State>

    /// - Returns: The file, and what it said; `nil` there when both slots are bad.
    static func open(_ files: LogFiles) throws(LogError) -> (file: DurableFile, found: DurableRecord?) {
        let page: any Mapping
        let bytes: [UInt8]
        do throws(DiskError) {
            let file = try files.fileSystem.open(files.path(LogFiles.durable), .write)
            if try file.byteCount() < Self.byteCount { try file.allocate(byteCount: Self.byteCount) }
            // Read before it is mapped: a sector that went bad is refused here, and would end the process there.
            bytes = try file.read(at: 0, count: Self.byteCount)
            page = try file.map(byteCount: Self.byteCount)
        } catch {
            if error.isNotFound { throw .sidecarDamaged(file: LogFiles.durable) }
            throw LogError(error)
        }
        let newest = Slot.newest(of: bytes, at: Self.offsets, magic: Self.magic)
        let found = newest.map { DurableRecord($0) }
        let durableFile = DurableFile(page, State(record: found ?? .blank, sequence: newest?.sequence ?? 0))
        let told = Self.offsets.compactMap { Slot.newest(of: bytes, at: [$0], magic: Self.magic) }
        if let found, told.count < 2 || told.contains(where: { Self.isOutdated(DurableRecord($0), by: found) }) {
            // A store was torn, or a reset was cut off between its two.
            try durableFile.levelSlots()
        }
        return (durableFile, found)
    }

    private init(_ page: any Mapping, _ state: sending State) {
        self.page = page
        self.state = Lock(state)
    }

    static func blank() -> [UInt8] { Self.contents(.blank, sequence: 0) }

    /// A file in which both slots say `record`.
    static func contents(_ record: DurableRecord, sequence: UInt64 = 2) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        for (number, offset) in Self.offsets.enumerated() {
            let slot = record.slot(sequence: sequence + UInt64(number)).encoded(magic: Self.magic)
            bytes.replaceSubrange(offset..<(offset + Slot.byteCount), with: slot)
        }
        return bytes
    }

    var record: DurableRecord { self.state.withLock { $0.record } }
    var isDirty: Bool { self.state.withLock { $0.isDirty } }

    /// Changes the record and stores it; unchanged, nothing is stored.
    func update(_ change: (inout DurableRecord) -> Void) {
        self.state.withLock { state in
            let before = state.record
            change(&state.record)
            if state.record != before { self.store(&state) }
        }
    }

    /// Sets the record in both slots and syncs each: afterwards no slot tells of anything higher.
    ///
    /// One after the other: a power cut that tears the second must find the first on the disk, or what is left is the
    /// record before the last one, which knows neither of a trim nor of a truncation. Cost: two syncs.
    func reset(_ change: (inout DurableRecord) -> Void) throws(LogError) {
        let sequence = self.state.withLock { state in
            change(&state.record)
            self.store(&state)
            return state.sequence
        }
        try self.sync()
        self.state.withLock { state in
            // Unless an update has done so meanwhile.
            if state.sequence == sequence { self.store(&state) }
        }
        try self.sync()
    }

    /// Whether a record must not come back: it tells of segments that were trimmed, or of frames that were truncated.
    private static func isOutdated(_ record: DurableRecord, by newest: DurableRecord) -> Bool {
        record.first != newest.first || record.durable.position > newest.durable.position
    }

    /// Stores the record in the slot that is behind: a store that is torn later cannot uncover what that slot said.
    private func levelSlots() throws(LogError) {
        self.state.withLock { self.store(&$0) }
        try self.sync()
    }

    func sync() throws(LogError) {
        self.state.withLock { $0.isDirty = false }
        try disk { () throws(DiskError) in try self.page.sync() }
    }

    private func store(_ state: inout State) {
        state.sequence += 1
        state.isDirty = true
        let slot = state.record.slot(sequence: state.sequence).encoded(magic: Self.magic)
        self.page.store(slot.span.bytes, at: Self.offsets[Int(state.sequence % 2)])
    }
}
