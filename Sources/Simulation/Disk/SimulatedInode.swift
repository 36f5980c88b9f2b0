import LogModel

/// One file of the simulated disk: what a reader sees now, and how to get back to what is on the platter.
///
/// Each change since the last sync is kept with what it replaced. A sync forgets them (cost O(1)); a power cut
/// undoes them all, newest first, and then applies those again that happened to reach the disk.
struct SimulatedInode: Sendable {
    /// The unit a disk writes whole.
    static let sectorByteCount = 512
    /// The unit a kernel maps.
    static let pageByteCount = 4096

    private enum Change: Sendable {
        case write(offset: Int, bytes: [UInt8], replaced: [UInt8], isStore: Bool, lengthBefore: Int)
        case resize(to: Int, cut: [UInt8], lengthBefore: Int)
    }

    private(set) var bytes: [UInt8] = []
    private var unsynced: [(change: Change, step: Int)] = []
    /// Sectors that a failed sync left in memory only, with what the platter holds instead.
    private var stranded: [Int: [UInt8]] = [:]
    /// Sectors that cannot be read any more, until they are written again.
    private var bad: Set<Int> = []
    /// Open files and mappings that still refer to this inode.
    var openCount = 0
    /// The session in which a sync of it was refused.
    var failedSession: Int?

    var hasUnsynced: Bool { !self.unsynced.isEmpty }

    mutating func write(_ new: [UInt8], at offset: Int, step: Int, isStore: Bool = false) {
        if !self.bad.isEmpty, !new.isEmpty {
            let last = (offset + new.count - 1) / Self.sectorByteCount
            self.bad.subtract(offset / Self.sectorByteCount...last)
        }
        guard self.stranded.isEmpty else {
            return self.writeOverStranded(new, at: offset, step: step, isStore: isStore)
        }
        let lengthBefore = self.bytes.count
        let overlap = self.bytes[min(offset, lengthBefore)..<min(offset + new.count, lengthBefore)]
        self.note(new, at: offset, replaced: Array(overlap), step: step, isStore: isStore)
        self.put(new[...], at: offset)
    }

    /// A store through a mapping: it never makes the file longer. Behind the end there is nothing but the rest of the
    /// last page, and what is stored there is lost.
    mutating func store(_ new: [UInt8], at offset: Int, step: Int) {
        let pages = (self.bytes.count + Self.pageByteCount - 1) / Self.pageByteCount * Self.pageByteCount
        precondition(
            offset + new.count <= pages, "SIGBUS: a store at \(offset) into a file of \(self.bytes.count) bytes")
        let count = min(new.count, self.bytes.count - offset)
        if count > 0 { self.write(Array(new[..<count]), at: offset, step: step, isStore: true) }
    }

    mutating func resize(to length: Int, step: Int) {
        let cut = length < self.bytes.count ? Array(self.bytes[length...]) : []
        self.unsynced.append((.resize(to: length, cut: cut, lengthBefore: self.bytes.count), step))
        self.setLength(length)
    }

    mutating func sync() { self.unsynced.removeAll() }

    /// What a kernel does when it cannot write pages back: it says so once, and takes them for clean from then on. They
    /// are read as written until the power goes, and no later sync carries them, unless they are written again
    /// (Rebello et al., Can Applications Recover from fsync Failures?, ATC '20).
    mutating func failSync() {
        var platter = self
        _ = platter.loseUnsynced(of: 0)
        for (change, _) in self.unsynced {
            guard case .write(let offset, let new, _, _, _) = change, !new.isEmpty else { continue }
            for sector in offset / Self.sectorByteCount...(offset + new.count - 1) / Self.sectorByteCount {
                let start = sector * Self.sectorByteCount
                let end = start + Self.sectorByteCount
                let old = Array(platter.bytes[min(start, platter.bytes.count)..<min(end, platter.bytes.count)])
                self.stranded[sector] = old + [UInt8](repeating: 0, count: Self.sectorByteCount - old.count)
            }
        }
        self.unsynced.removeAll()
    }

    /// Breaks the sector that holds a byte.
    mutating func breakSector(holding offset: Int) { self.bad.insert(offset / Self.sectorByteCount) }

    func isReadable(_ range: Range<Int>) -> Bool {
        guard !self.bad.isEmpty, !range.isEmpty else { return true }
        return !(range.lowerBound / Self.sectorByteCount...(range.upperBound - 1) / Self.sectorByteCount)
            .contains { self.bad.contains($0) }
    }

    /// Flips a bit as rot would: below every cache.
    mutating func flip(bit: Int) { self.bytes[bit / 8] ^= 1 << UInt8(bit % 8) }

    /// Replaces everything, on the platter too.
    mutating func replace(with bytes: [UInt8]) {
        self.bytes = bytes
        self.bad.removeAll()
        self.unsynced.removeAll()
        self.stranded.removeAll()
    }

    /// Leaves what a power cut leaves: every unsynced change, split into sectors, is there or not.
    mutating func cutPower(_ survival: PowerCut, random: inout DiskRandom) {
        let keptPercent: UInt64 =
            switch survival {
            case .losesAll: 0
            case .losesNothing: 100
            case .losesSome: [0, 30, 50, 80, 100][Int(random.next() % 5)]
            }
        for unit in self.loseUnsynced(of: 0) where random.chance(keptPercent) { self.apply(unit.effect) }
    }

    /// Goes back to what is on the platter.
    ///
    /// - Returns: The changes that were taken back, oldest first, sector by sector.
    mutating func loseUnsynced(of inode: Int) -> [DiskUnit] {
        let changes = self.unsynced
        self.unsynced.removeAll()
        for (change, _) in changes.reversed() { self.undo(change) }
        for (sector, old) in self.stranded {
            let start = sector * Self.sectorByteCount
            let count = min(old.count, self.bytes.count - start)
            if count > 0 { self.put(old[..<count], at: start) }
        }
        self.stranded.removeAll()
        return changes.flatMap { Self.units($0.change, inode: inode, step: $0.step) }
    }

    /// Applies a change that had reached the disk.
    mutating func apply(_ effect: DiskUnit.Effect) {
        switch effect {
        case .bytes(_, let offset, let bytes, let isStore):
            let count = isStore ? min(bytes.count, self.bytes.count - offset) : bytes.count
            if count > 0 { self.put(bytes.prefix(count), at: offset) }
        case .length(_, let length): self.setLength(length)
        case .entry: break
        }
    }

    private static func units(_ change: Change, inode: Int, step: Int) -> [DiskUnit] {
        switch change {
        case .resize(let length, _, _):
            return [DiskUnit(step: step, effect: .length(inode: inode, length))]
        case .write(let offset, let new, _, let isStore, _):
            var units: [DiskUnit] = []
            var start = offset
            while start < offset + new.count {
                let sectorEnd = (start / Self.sectorByteCount + 1) * Self.sectorByteCount
                let end = min(sectorEnd, offset + new.count)
                let bytes = new[(start - offset)..<(end - offset)]
                units.append(
                    DiskUnit(step: step, effect: .bytes(inode: inode, offset: start, bytes, isStore: isStore)))
                start = end
            }
            return units
        }
    }

    /// Dirties whole sectors again: with the next sync these reach the platter, as they stand in memory.
    private mutating func writeOverStranded(_ new: [UInt8], at offset: Int, step: Int, isStore: Bool) {
        let lengthBefore = self.bytes.count
        let lower = offset / Self.sectorByteCount * Self.sectorByteCount
        let upper = (offset + new.count + Self.sectorByteCount - 1) / Self.sectorByteCount * Self.sectorByteCount
        let start = min(lower, lengthBefore)
        var replaced = Array(self.bytes[start..<min(upper, lengthBefore)])
        self.put(new[...], at: offset)
        let whole = Array(self.bytes[start..<max(offset + new.count, min(upper, self.bytes.count))])
        for sector in lower / Self.sectorByteCount..<upper / Self.sectorByteCount {
            guard let old = self.stranded.removeValue(forKey: sector) else { continue }
            let place = sector * Self.sectorByteCount - start
            for (number, byte) in old.enumerated() where place + number < replaced.count {
                replaced[place + number] = byte
            }
        }
        self.unsynced.append(
            (
                .write(offset: start, bytes: whole, replaced: replaced, isStore: isStore, lengthBefore: lengthBefore),
                step
            ))
    }

    private mutating func note(_ new: [UInt8], at offset: Int, replaced: [UInt8], step: Int, isStore: Bool) {
        self.unsynced.append(
            (
                .write(
                    offset: offset, bytes: new, replaced: replaced, isStore: isStore, lengthBefore: self.bytes.count),
                step
            ))
    }

    private mutating func undo(_ change: Change) {
        switch change {
        case .write(let offset, _, let replaced, _, let lengthBefore):
            self.setLength(lengthBefore)
            if !replaced.isEmpty { self.put(replaced[...], at: offset) }
        case .resize(_, let cut, let lengthBefore):
            if lengthBefore < self.bytes.count {
                self.setLength(lengthBefore)
            } else {
                self.bytes += cut
            }
        }
    }

    private mutating func put(_ new: Bytes, at offset: Int) {
        if offset + new.count > self.bytes.count { self.setLength(offset + new.count) }
        self.bytes.replaceSubrange(offset..<(offset + new.count), with: new)
    }

    private mutating func setLength(_ length: Int) {
        if length < self.bytes.count {
            self.bytes.removeLast(self.bytes.count - length)
            self.bad = self.bad.filter { $0 * Self.sectorByteCount < length }
        } else {
            self.bytes += [UInt8](repeating: 0, count: length - self.bytes.count)
        }
    }
}
