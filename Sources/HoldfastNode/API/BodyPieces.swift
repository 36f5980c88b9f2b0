import HTTP2Transport
import NIOCore

/// A body while it comes: in pieces, since one buffer that grows is moved again and again, and leaves holes in memory that take as
/// much as the bodies themselves.
struct BodyPieces {
    /// The first piece grows as it has to; most bodies are smaller.
    private static let firstByteCountMax = 64 << 10
    private static let pieceByteCount = 256 << 10

    private var pieces: [ByteBuffer] = []
    private(set) var byteCount = 0

    /// - Parameter bytes: They may share the memory of all that was read with them.
    mutating func add(_ bytes: ByteBuffer) {
        self.byteCount += bytes.readableBytes
        var rest = bytes
        if let last = self.pieces.indices.last {
            let byteCountMax = last == 0 ? Self.firstByteCountMax : Self.pieceByteCount
            let room = byteCountMax - self.pieces[last].readableBytes
            if room > 0, let slice = rest.readSlice(length: min(room, rest.readableBytes)) {
                self.pieces[last].collect(slice)
            }
        } else {
            self.pieces.append(ByteBuffer())
            self.pieces[0].collect(rest)
            return
        }
        while rest.readableBytes > 0, let slice = rest.readSlice(length: min(Self.pieceByteCount, rest.readableBytes)) {
            var piece = ByteBufferAllocator().buffer(capacity: Self.pieceByteCount)
            piece.writeImmutableBuffer(slice)
            self.pieces.append(piece)
        }
    }

    /// All of it; nothing is left here.
    mutating func take() -> ByteBuffer {
        defer { self = BodyPieces() }
        guard self.pieces.count > 1 else { return self.pieces.first ?? ByteBuffer() }
        var body = ByteBufferAllocator().buffer(capacity: self.byteCount)
        for piece in self.pieces { body.writeImmutableBuffer(piece) }
        return body
    }
}
