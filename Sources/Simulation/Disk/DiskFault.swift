import DiskIO
import SystemPackage

/// What becomes of everything that was not synced when the power goes.
package enum PowerCut: Hashable, Sendable {
    case losesAll
    case losesNothing
    /// Any subset of sectors, lengths and directory entries survives, drawn from the seed.
    case losesSome
}

/// What goes wrong with one operation.
package enum DiskFault: Hashable, Sendable {
    /// Refused with this error. A write may leave its first half behind; a sync leaves what it was to carry in memory
    /// only, marked as if it had been carried (see ``SimulatedInode/failSync()``).
    case refuse(Errno)
    /// This operation and all after it fail until ``SimulatedFileSystem/cutPower(_:)``: the machine is gone.
    case stop
}

/// How often the disk was asked.
package struct DiskCounts: Hashable, Sendable {
    /// Everything that can be refused, also reads and opens; faults are placed by this number too.
    package var calls = 0
    /// Everything that changes the disk or makes it durable; faults are placed by this number.
    package var operations = 0
    /// All operations, and the stores into mappings, which nobody can refuse.
    package var steps = 0
    package var writes = 0
    package var syncs = 0
    /// Syncs of a file of which an earlier sync was refused in the same session: what nobody may do.
    package var syncsAfterFailure = 0
    package var directorySyncs = 0
    package var mappingSyncs = 0
    package var opens = 0
    package var reads = 0
}

/// An operation that changes something, as handed to an observer before it happens.
package struct DiskCall: Hashable, Sendable {
    package var operation: DiskOperation
    package var path: String
    /// Counted from 1.
    package var number: Int
}

extension DiskOperation {
    /// Whether it changes the disk or makes it durable. The others only look.
    var isChange: Bool {
        switch self {
        case .create, .rename, .remove, .syncDirectory, .write, .sync, .truncate, .allocate, .syncMapping: true
        case .makeDirectory, .list, .open, .lock, .read, .status, .map: false
        }
    }
}
