import LogModel
import ReplicaCore
import ReplicaDisk
import SegmentLog

/// What a node's disk thread knows of the room there is.
struct RoomWatch {
    /// A write waits for room.
    var isBlocked = false
    /// The next segment could not be prepared for want of room.
    var isUnprepared = false
    /// What the core was told last.
    var told = DiskRoom.enough
    /// The segment that was active when the next one was last asked for.
    var preparedAfter: SegmentID?

    var room: DiskRoom { self.isBlocked ? .none : self.isUnprepared ? .activeSegmentOnly : .enough }
}

/// What the disk thread of a running node does on its thread.
extension SimulatedNode {
    /// A frame or two: what must not wait overtakes the rest often.
    private static let syncedByteCountMax = 1 << 10

    /// Performs what one sync should carry. A write that finds no room stays first in line, and all that comes behind it.
    ///
    /// - Returns: What the node is to be told.
    /// - Throws: ``LogError``: the node must stop.
    func performJobs() throws(LogError) -> [ReplicaEvent] {
        guard let worker else { return [] }
        var events: [ReplicaEvent] = []
        let due = DiskJob.take(from: &self.jobs, byteCountMax: Self.syncedByteCountMax, isBlocked: self.room.isBlocked)
        let left = try worker.perform(due, events: &events)
        self.jobs = left + self.jobs
        self.room.isBlocked = !left.isEmpty
        return events
    }
}
