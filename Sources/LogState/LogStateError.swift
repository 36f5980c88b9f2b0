import LogModel
import SegmentFormat

/// Why a frame or a checkpoint does not fit the state; the state is as it was before.
package enum LogStateError: Error, Hashable, Sendable {
    case truncated
    case trailingBytes(Int)
    case unsupportedVersion(UInt16)
    /// A field holds what no encoder writes.
    case notCanonical(LogStateField)
    /// The checkpoint says something else than the frames before it.
    case checkpointDiffers
    case producerOutOfSequence(ProducerSequence, last: UInt64)
    /// A key appended twice.
    case keyRepeated(IdempotencyKey)
    case trimWentBack(from: Position, to: Position)
    /// A fence that is no higher than the one before.
    case fenceNotRaised(from: UInt64, to: UInt64)
    case tooManyCursors
    case noSuchCursor(CursorName)
    /// A kind of frame that has no payload has one.
    case unexpectedPayload(FrameKind)
}

package enum LogStateField: String, Hashable, Sendable {
    case reserved, voters, learners, addresses, text, terms, trim, producers, results, keys, cursors
}
