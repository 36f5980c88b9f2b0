import LogModel
import ReplicaCore

/// What is told of a disk's room: that there is less, at once; that there is more again, once that has held for a while.
///
/// Where a neighbour frees a little now and then, and takes it again, there would be no end of news.
struct RoomTelling {
    static let heldMilliseconds: UInt64 = 3_000

    private(set) var told = DiskRoom.enough
    private var room = DiskRoom.enough
    /// Since when there is as much of it, more than was told.
    private var moreSince: MonotonicTime?

    /// - Returns: Whether `room` is to be told.
    mutating func changed(to room: DiskRoom, at now: MonotonicTime) -> Bool {
        self.room = room
        self.moreSince = room > self.told ? now : nil
        guard room < self.told else { return false }
        self.told = room
        return true
    }

    /// To be asked about once a second.
    ///
    /// - Returns: What is to be told: that there is more.
    mutating func held(at now: MonotonicTime) -> DiskRoom? {
        guard let since = self.moreSince, now >= since.advanced(byMilliseconds: Self.heldMilliseconds) else {
            return nil
        }
        self.moreSince = nil
        self.told = self.room
        return self.room
    }
}
