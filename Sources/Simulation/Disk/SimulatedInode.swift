import LogModel

/// One file of the simulated disk: what a reader sees now, and how to get back to what is on the platter.
///
/// Each change since the last sync is kept with what it replaced. A sync forgets them (cost O(1)); a power cut
/// undoes them all, newest first, and then applies those again that happened to reach the disk.
struct SimulatedInode: Sendable {
    /// The unit a disk writes whole.
    static let sectorByteCount = 512

    private enum Change: Sendable {
        case write(offset: Int, bytes: [UInt8], replaced: [UInt8], lengthBefore: Int)
        case resize(to: Int, cut: [UInt8], lengthBefore: Int)
    }

    private(set) var bytes: [UInt8] = []
    private var unsynced: [Change] = []
    /// Open files and mappings that still refer to this inode.
    var openCount = 0

    var hasUnsynced: Bool { !self.unsynced.isEmpty }

    mutating func write(_ new: [UInt8], at offset: Int) {
        let lengthBefore = self.bytes.count
        let overlap = self.bytes[min(offset, lengthBefore)..<min(offset + new.count, lengthBefore)]
        self.unsynced.append(
            .write(offset: offset, bytes: new, replaced: Array(overlap), lengthBefore: lengthBefore)
        )
        self.put(new[...], at: offset)
    }

    mutating func resize(to length: Int) {
        let cut = length < self.bytes.count ? Array(self.bytes[length...]) : []
        self.unsynced.append(.resize(to: length, cut: cut, lengthBefore: self.bytes.count))
        self.setLength(length)
    }

    mutating func sync() { self.unsynced.removeAll() }

    /// Flips a bit as rot would: below every cache.
    mutating func flip(bit: Int) { self.bytes[bit / 8] ^= 1 << UInt8(bit % 8) }

    /// Leaves what a power cut leaves: every unsynced change, split into sectors, is there or not.
    mutating func cutPower(_ survival: PowerCut, random: inout DiskRandom) {
        let changes = self.unsynced
        self.unsynced.removeAll()
        for change in changes.reversed() { self.undo(change) }
        let keptPercent: UInt64 =
            switch survival {
            case .losesAll: 0
            case .losesNothing: 100
            case .losesSome: [0, 30, 50, 80, 100][Int(random.next() % 5)]
            }
        for change in changes {
            switch change {
            case .write(let offset, let new, _, _):
                var start = offset
                while start < offset + new.count {
                    let sectorEnd = (start / Self.sectorByteCount + 1) * Self.sectorByteCount
                    let end = min(sectorEnd, offset + new.count)
                    if random.chance(keptPercent) { self.put(new[(start - offset)..<(end - offset)], at: start) }
                    start = end
                }
            case .resize(let length, _, _):
                if random.chance(keptPercent) { self.setLength(length) }
            }
        }
    }

    private mutating func undo(_ change: Change) {
        switch change {
        case .write(let offset, _, let replaced, let lengthBefore):
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
        } else {
            self.bytes += [UInt8](repeating: 0, count: length - self.bytes.count)
        }
    }
}
