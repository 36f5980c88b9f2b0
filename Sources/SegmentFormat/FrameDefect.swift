import LogModel

/// Why bytes do not continue a log. The chain that refused them is as it was before the frame.
package enum FrameDefect: Error, Hashable, Sendable {
    case format(FormatError)
    case payloadChecksum(stored: UInt32, computed: UInt32)
    /// The frame, or the segment header, follows another frame than the last one here.
    case brokenChain(expected: UInt32, found: UInt32)
    case wrongIndex(expected: LogIndex, found: LogIndex)
    case termWentBack(from: Term, to: Term)
    case timestampWentBack(from: Timestamp, to: Timestamp)
    case wrongSegment(expected: SegmentID, found: SegmentID)
    /// The segment before has another length than its successor says.
    case wrongPreviousLength(expected: UInt32, found: UInt32)
    /// A segment begins with something else.
    case checkpointMissing(found: FrameKind)
    /// A checkpoint that is not a segment's first frame.
    case checkpointMisplaced
    /// The bytes belong elsewhere than at the tail.
    case wrongPosition(expected: Position, found: Position)
    /// Zeros within a shipped range.
    case endOfData
    /// The frame would pass the largest offset.
    case segmentTooLong

    /// See ``FormatError/laterVersion``.
    package var laterVersion: UInt16? {
        if case .format(let error) = self { error.laterVersion } else { nil }
    }
}
