import LogModel
import RaftCore

/// A directory that is put back from a copy.
extension SimulatedNode {
    /// A directory as it was, and how often it had been started then.
    struct Backup {
        var disk: SimulatedDiskState
        var starts: UInt64
        var first: SegmentID
    }

    func keepBackup() {
        guard let start = self.start, !self.isRestored else { return }
        self.backup = Backup(disk: self.disk.copied(), starts: start.starts, first: self.first)
    }

    /// Whether this node knows a later start of a member than that one.
    func hasSeen(_ member: Member, after starts: UInt64) -> Bool {
        self.sightings[member].map { $0.starts > starts } ?? false
    }

    /// The directory is what it was when the copy was made; what the node has promised since is gone.
    func restore() {
        precondition(!self.isRunning, "a running node's directory is put back")
        guard let backup = self.backup else { preconditionFailure("node \(self.number) has no copy to be put back") }
        self.disk = SimulatedFileSystem(backup.disk)
        // How full a disk is does not come with the copy.
        self.disk.setCapacity(byteCount: .max)
        self.first = backup.first
        self.vouchedPersisted = .zero
        self.vouchedState = HardState(term: .zero, vote: nil)
        self.backup = nil
        self.isRestored = true
    }
}
