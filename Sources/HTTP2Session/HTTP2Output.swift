/// What a session wants sent, in order: frames it serialized, and body bytes that its user holds.
///
/// ```
/// bytes   | HEADERS | 9-byte DATA header |        | 9-byte DATA header |
/// pieces  bytes(0..<n)                    body(1, 16384)               ...
/// ```
package struct HTTP2Output: Hashable, Sendable {
    package enum Piece: Hashable, Sendable {
        /// A range of ``HTTP2Output/bytes``.
        case bytes(Range<Int>)
        /// The next bytes of this stream's body, in the order they were announced with `send(body:)`.
        case body(HTTP2StreamID, byteCount: Int)
    }

    package private(set) var bytes: [UInt8] = []
    package private(set) var pieces: [Piece] = []
    /// Both together.
    package private(set) var byteCount = 0

    package var isEmpty: Bool { self.pieces.isEmpty }

    mutating func append(_ new: UnsafeBufferPointer<UInt8>) {
        guard !new.isEmpty else { return }
        let start = self.bytes.count
        self.bytes.append(contentsOf: new)
        self.byteCount += new.count
        if case .bytes(let range) = self.pieces.last {
            self.pieces[self.pieces.count - 1] = .bytes(range.lowerBound..<self.bytes.count)
        } else {
            self.pieces.append(.bytes(start..<self.bytes.count))
        }
    }

    mutating func append(bodyOf stream: HTTP2StreamID, byteCount: Int) {
        guard byteCount > 0 else { return }
        self.pieces.append(.body(stream, byteCount: byteCount))
        self.byteCount += byteCount
    }

    /// Forgets all of it and keeps the memory.
    mutating func removeAll() {
        self.bytes.removeAll(keepingCapacity: true)
        self.pieces.removeAll(keepingCapacity: true)
        self.byteCount = 0
    }
}
