import LogModel

/// Where a reader stands in a log, and what it knows of the way there.
package struct ReadCursor: Sendable {
    /// Where to read on: the end of the last frame that was read.
    package internal(set) var position: Position
    /// Header checksum of that frame; `nil` before the first.
    var previous: UInt32?
    /// How many truncations there had been when the reader last stood in the log.
    var truncations: UInt64
}
