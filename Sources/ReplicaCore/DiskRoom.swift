/// What room a node's disk has for its log, from the least to the most.
package enum DiskRoom: Int, Comparable, Sendable {
    /// A write waits for room: what is given to the disk now stands behind it.
    case none
    /// The next segment cannot be made. What still fits into the active one is taken.
    case activeSegmentOnly
    /// For the active segment, and for the next one.
    case enough

    package static func < (left: DiskRoom, right: DiskRoom) -> Bool { left.rawValue < right.rawValue }
}
