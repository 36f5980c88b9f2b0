import LogModel
import ReplicaCore
import SegmentLog

/// What a node's disk thread knows of the room there is.
struct DiskRoom {
    /// A write waits for room.
    var isBlocked = false
    /// The next segment could not be prepared for want of room.
    var isUnprepared = false
    /// What the core was told last.
    var isToldFull = false
    /// The segment that was active when the next one was last asked for.
    var preparedAfter: SegmentID?

    var isFull: Bool { self.isBlocked || self.isUnprepared }
}

/// What the disk thread of a running node does on its thread.
extension SimulatedNode {
    /// Performs what is queued. A write that finds no room stays first in line, and all that comes behind it.
    ///
    /// - Returns: What the node is to be told.
    /// - Throws: ``LogError``: the node must stop.
    func performJobs() throws(LogError) -> [ReplicaEvent] {
        guard let worker else { return [] }
        var events: [ReplicaEvent] = []
        let left = try worker.perform(self.jobs, events: &events)
        self.jobs = left
        self.room.isBlocked = !left.isEmpty
        return events
    }
}
