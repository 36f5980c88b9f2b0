import NIOCore

extension ByteBuffer {
    /// Adds the next piece of a body that is collected whole.
    ///
    /// A large first piece is taken over as it is. A small one is copied, or it would keep the whole buffer alive that it came
    /// in.
    package mutating func collect(_ piece: ByteBuffer) {
        if self.readableBytes == 0, piece.readableBytes > 4_096 {
            self = piece
        } else {
            self.writeImmutableBuffer(piece)
        }
    }
}
