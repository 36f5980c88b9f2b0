import RaftCore

/// What is stored of a node in a small world, and which votes are on their way to it.
struct SmallDisk: Hashable {
    private(set) var hardState: HardState
    /// Oldest first.
    var storing: [HardState] = []
    /// As it was at the last sync.
    private(set) var log: SmallLog

    init(log: SmallLog, hardState: HardState) {
        self.log = log
        self.hardState = hardState
    }

    var hasVoteToStore: Bool { !self.storing.isEmpty }

    /// - Returns: The oldest vote that was on its way, which is stored now.
    mutating func storeVote() -> HardState? {
        guard !self.storing.isEmpty else { return nil }
        self.hardState = self.storing.removeFirst()
        return self.hardState
    }

    mutating func sync(_ log: SmallLog) { self.log = log }

    /// The disks that a crash may leave of a log that has come further since the last sync.
    ///
    /// Jobs are done in order, so votes survive oldest first. What was done to the log survives in part, the truncation
    /// before the writes, but only behind all votes: where a write came before a vote, the world in which it was synced
    /// before shows the same.
    func afterCrash(of log: SmallLog) -> [SmallDisk] {
        var disks: [SmallDisk] = []
        var disk = self
        disk.storing = []
        disks.append(disk)
        for state in self.storing {
            disk.hardState = state
            disks.append(disk)
        }
        let common = log.commonCount(with: self.log)
        if common < self.log.frames.count {
            disk.log = log.prefix(common)
            disks.append(disk)
        }
        for count in common..<log.frames.count {
            disk.log = log.prefix(count + 1)
            disks.append(disk)
        }
        return disks
    }
}

/// One way in which a node may crash: what its disk keeps, and whether it remembers how far the log was committed.
struct SmallCrash: Hashable {
    var disk: SmallDisk
    var isCommitKnown: Bool
}
