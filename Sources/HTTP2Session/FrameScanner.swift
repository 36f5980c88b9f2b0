/// Finds the frames in a byte stream by their heads alone (RFC 9113 §4.1), however the stream is cut.
///
/// nghttp2 says nothing of some frames that it passes over, so whoever wants to bound them has to count for itself:
/// ```
///  24 bytes        9 bytes                  length bytes   9 bytes
/// | preface | length:3 type:1 flags:1 id:4 | payload ...  | length:3 ...
///  skipped    counted with its last byte     skipped
/// ```
/// A frame counts where its head is complete, which is where nghttp2 tells of it. Costs a few instructions for each
/// frame, whatever its length. Pure; knows no limits: what is too long ends the session anyway.
package struct FrameScanner: Hashable, Sendable {
    private static let headByteCount = 9
    /// Of a head: its length and its type.
    private static let wordByteCount = 4

    /// Bytes before the next head.
    private var skippedByteCount: Int
    /// Of a head that the input has cut: how many bytes are here, and its first ones.
    private var partialByteCount = 0
    private var partialWord: UInt32 = 0

    /// - Parameter prefaceByteCount: Bytes before the first frame: 24 of what a server receives, 0 for a client.
    package init(prefaceByteCount: Int) { self.skippedByteCount = prefaceByteCount }

    /// Goes on with the next bytes of the stream.
    ///
    /// - Returns: The frames whose heads end in `input`.
    package mutating func scan(_ input: UnsafeRawBufferPointer) -> FrameTally {
        var tally = FrameTally()
        var offset = 0
        while true {
            let skipped = min(self.skippedByteCount, input.count - offset)
            self.skippedByteCount -= skipped
            offset += skipped
            guard offset < input.count else { return tally }
            if self.partialByteCount == 0 && input.count - offset >= Self.headByteCount {
                let word = UInt32(bigEndian: input.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                offset += Self.headByteCount
                self.found(word, &tally)
                continue
            }
            while offset < input.count && self.partialByteCount < Self.headByteCount {
                if self.partialByteCount < Self.wordByteCount {
                    self.partialWord = self.partialWord << 8 | UInt32(input[offset])
                }
                self.partialByteCount += 1
                offset += 1
            }
            guard self.partialByteCount == Self.headByteCount else { return tally }
            self.partialByteCount = 0
            self.found(self.partialWord, &tally)
        }
    }

    /// - Parameter word: The head's first four bytes.
    private mutating func found(_ word: UInt32, _ tally: inout FrameTally) {
        self.skippedByteCount = Int(word >> 8)
        tally.add(type: UInt8(truncatingIfNeeded: word), payloadByteCount: self.skippedByteCount)
    }
}
