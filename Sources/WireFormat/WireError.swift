/// Why a peer's bytes are refused; its stream is reset then.
package enum WireError: Error, Hashable, Sendable {
    case truncated(needed: Int, available: Int)
    case trailingBytes(Int)
    case messageTooLarge(byteCount: Int, max: Int)
    case unknownMessage(type: UInt8)
    /// Of the protocol, of which the peer speaks none that is spoken here; or of an identity's layout.
    case unsupportedVersion(UInt16)
    /// A message states another version than its stream's nodes agreed on.
    case otherVersion(stated: UInt16, agreed: UInt16)
    /// A field holds what no sender writes.
    case badValue(WireField)
}

package enum WireField: String, Hashable, Sendable {
    case term, bool, refusal, lives, encoding, termStarts, founders, rawByteCount, emptyMessage
}
