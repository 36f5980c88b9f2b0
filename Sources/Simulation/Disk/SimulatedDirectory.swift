/// Names of one directory, and which changes to them a power cut can still take back.
struct SimulatedDirectory: Sendable {
    enum Change: Sendable {
        case link(String, inode: Int)
        case unlink(String)
        /// There or not, never half.
        case rename(String, to: String, inode: Int)
    }

    private(set) var entries: [String: Int] = [:]
    private var durable: [String: Int] = [:]
    private var unsynced: [(change: Change, step: Int)] = []

    /// Every inode that some outcome of a power cut could still name.
    var reachable: Set<Int> {
        var inodes = Set(self.entries.values).union(self.durable.values)
        for (change, _) in self.unsynced {
            switch change {
            case .link(_, let inode), .rename(_, _, let inode): inodes.insert(inode)
            case .unlink: break
            }
        }
        return inodes
    }

    mutating func apply(_ change: Change, step: Int) {
        self.unsynced.append((change, step))
        Self.apply(change, to: &self.entries)
    }

    /// Applies a change that had reached the disk.
    mutating func applyDurable(_ change: Change) {
        Self.apply(change, to: &self.entries)
        self.durable = self.entries
    }

    mutating func sync() {
        self.durable = self.entries
        self.unsynced.removeAll()
    }

    mutating func cutPower(_ survival: PowerCut, random: inout DiskRandom) {
        var entries = self.durable
        let keptPercent: UInt64 =
            switch survival {
            case .losesAll: 0
            case .losesNothing: 100
            case .losesSome: [0, 50, 80, 100][Int(random.next() % 4)]
            }
        for (change, _) in self.unsynced where random.chance(keptPercent) { Self.apply(change, to: &entries) }
        self.entries = entries
        self.sync()
    }

    /// Goes back to what was synced.
    ///
    /// - Returns: The changes that were taken back, oldest first.
    mutating func loseUnsynced(of path: String) -> [DiskUnit] {
        let units = self.unsynced.map { DiskUnit(step: $0.step, effect: .entry(directory: path, $0.change)) }
        self.entries = self.durable
        self.unsynced.removeAll()
        return units
    }

    private static func apply(_ change: Change, to entries: inout [String: Int]) {
        switch change {
        case .link(let name, let inode):
            entries[name] = inode
        case .unlink(let name):
            entries[name] = nil
        case .rename(let source, let target, let inode):
            if entries[source] == inode { entries[source] = nil }
            entries[target] = inode
        }
    }
}
