import LogModel

/// The least that a power cut keeps or takes back by itself: what one change left in one sector, a length, or the
/// change of a directory entry.
struct DiskUnit: Sendable {
    enum Effect: Sendable {
        /// Bytes of at most one sector. A write makes the file longer where it must; a store into a mapping does not.
        case bytes(inode: Int, offset: Int, Bytes, isStore: Bool)
        case length(inode: Int, Int)
        case entry(directory: String, SimulatedDirectory.Change)
    }

    /// The step that made it, see ``DiskCounts/steps``.
    var step: Int
    var effect: Effect

    var byteCount: Int {
        if case .bytes(_, _, let bytes, _) = self.effect { bytes.count } else { 1 }
    }

    /// Its first bytes: how a write looks that was cut off within a sector. Lengths and entries are there or not.
    func torn(to byteCount: Int) -> DiskUnit? {
        guard byteCount > 0 else { return nil }
        guard case .bytes(let inode, let offset, let bytes, let isStore) = self.effect else { return self }
        var torn = self
        torn.effect = .bytes(inode: inode, offset: offset, bytes.prefix(byteCount), isStore: isStore)
        return torn
    }
}
