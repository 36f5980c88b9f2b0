import NIOCore

/// A body while it comes: in pieces, since one buffer that grows is moved again and again, and leaves holes in memory that take as
/// much as the bodies themselves.
///
///     | first: grows as it has to, 64 KiB | piece | piece | last, not yet full |
///
/// The pieces are the body's own: hardly more memory is kept alive than the body has bytes and one piece is long.
package struct BodyPieces: Sendable {
    /// Most bodies are smaller.
    private static let firstByteCountMax = 64 << 10

    private let pieceByteCount: Int
    private var pieces: [ByteBuffer] = []
    package private(set) var byteCount = 0

    /// - Parameter pieceByteCount: How long each piece is but the first and the last; memory is taken for as much at a time.
    package init(pieceByteCount: Int = 256 << 10) { self.pieceByteCount = pieceByteCount }

    /// - Parameter bytes: They may share the memory of all that was read with them.
    /// - Complexity: O(bytes), however much has come before; nothing is copied when they fill the memory that they came in and are
    ///   the first.
    package mutating func add(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        self.byteCount += bytes.readableBytes
        var rest = bytes
        guard let last = self.pieces.indices.last else {
            var first = ByteBuffer()
            first.collect(rest)
            return self.pieces.append(first)
        }
        let room = (last == 0 ? Self.firstByteCountMax : self.pieceByteCount) - self.pieces[last].readableBytes
        if room > 0, let slice = rest.readSlice(length: min(room, rest.readableBytes)) {
            self.pieces[last].writeImmutableBuffer(slice)
        }
        while rest.readableBytes > 0, let slice = rest.readSlice(length: min(self.pieceByteCount, rest.readableBytes)) {
            var piece = ByteBufferAllocator().buffer(capacity: self.pieceByteCount)
            piece.writeImmutableBuffer(slice)
            self.pieces.append(piece)
        }
    }

    /// All of it, in order; nothing is left here.
    package mutating func take() -> [ByteBuffer] {
        defer { self = BodyPieces(pieceByteCount: self.pieceByteCount) }
        return self.pieces
    }

    /// All of it in one buffer; nothing is left here.
    ///
    /// - Complexity: O(bytes) once there is more than one piece.
    package mutating func takeWhole() -> ByteBuffer {
        let byteCount = self.byteCount
        let pieces = self.take()
        guard pieces.count > 1 else { return pieces.first ?? ByteBuffer() }
        var body = ByteBufferAllocator().buffer(capacity: byteCount)
        for piece in pieces { body.writeImmutableBuffer(piece) }
        return body
    }
}
