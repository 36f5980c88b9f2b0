import NIOCore

extension ByteBuffer {
    /// Adds the next piece of a body that is collected whole.
    ///
    /// A piece that fills nearly all of the memory it came in is taken over as it is. Another one is copied, or it would keep the
    /// whole buffer alive, hundreds of kilobytes.
    package mutating func collect(_ piece: ByteBuffer) {
        if self.readableBytes == 0, piece.readableBytes >= piece.storageCapacity / 8 * 7 {
            self = piece
        } else {
            self.writeImmutableBuffer(piece)
        }
    }

    /// Lets go of memory that was read, when that is more than what is left.
    package mutating func releaseRead() {
        guard self.readableBytes * 2 < self.storageCapacity else { return }
        guard self.readableBytes > 0 else { return self = ByteBuffer() }
        var rest = ByteBufferAllocator().buffer(capacity: self.readableBytes)
        rest.writeImmutableBuffer(self)
        self = rest
    }
}
