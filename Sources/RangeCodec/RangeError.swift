/// Why a shipped range's body is refused.
package enum RangeError: Error, Hashable, Sendable {
    /// The announced length is over the limit; nothing was allocated.
    case tooLarge(announced: Int, max: Int)
    /// More than any deflated body of this size can hold (1,032 to 1); nothing was allocated.
    case implausible(announced: Int, byteCount: Int)
    /// The body is not a whole zlib stream.
    case corrupt(code: Int32)
    /// The body ends before its stream does.
    case truncated
    /// The body holds fewer bytes than announced, or its end does not come where they are full.
    case wrongLength(announced: Int)
    case trailingBytes(Int)
}
