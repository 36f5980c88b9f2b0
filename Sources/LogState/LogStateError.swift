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
    case trimWentBack(from: Position, to: Position)
    /// A kind of frame that this version does not know how to apply.
    case unsupportedKind(FrameKind)
    /// A kind of frame that has no payload has one.
    case unexpectedPayload(FrameKind)
}

package enum LogStateField: String, Hashable, Sendable {
    case reserved, voters, learners, addresses, text, terms, trim, producers, results
}
