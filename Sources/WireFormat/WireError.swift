/// Why a peer's bytes are refused; its stream is reset then.
package enum WireError: Error, Hashable, Sendable {
    case truncated(needed: Int, available: Int)
    case trailingBytes(Int)
    case messageTooLarge(byteCount: Int, max: Int)
    case unknownMessage(type: UInt8)
    case unsupportedVersion(UInt16)
    /// A field holds what no sender writes.
    case badValue(WireField)
}

package enum WireField: String, Hashable, Sendable {
    case term, bool, refusal, lives, encoding, termStarts, founders, rawByteCount, emptyMessage
}
