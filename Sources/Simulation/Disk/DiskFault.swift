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
    /// Refused with this error; a write may leave its first half behind.
    case refuse(Errno)
    /// This operation and all after it fail until ``SimulatedFileSystem/cutPower(_:)``: the machine is gone.
    case stop
}

/// How often the disk was asked.
package struct DiskCounts: Hashable, Sendable {
    /// Everything that changes the disk or makes it durable; faults are placed by this number.
    package var operations = 0
    package var writes = 0
    package var syncs = 0
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
