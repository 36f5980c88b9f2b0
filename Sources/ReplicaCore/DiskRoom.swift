/// What room a node's disk has for its log.
package enum DiskRoom: Hashable, Sendable {
    /// For the active segment, and for the next one.
    case enough
    /// The next segment cannot be made. What still fits into the active one is taken.
    case activeSegmentOnly
    /// A write waits for room: what is given to the disk now stands behind it.
    case none
}
