import NIOCore

/// How much one connection keeps for its peer; what it counts, its listener counts as well. Event loop only.
final class UnsentTally {
    private(set) var byteCount = 0
    private let listener: HTTP2Listener?

    init(listener: HTTP2Listener?) { self.listener = listener }

    fileprivate func change(by byteCount: Int) {
        self.byteCount += byteCount
        self.listener?.changeUnsent(by: byteCount)
    }
}

/// A body, counted for as long as its memory is kept. Event loop only.
///
/// A slice keeps all of the memory that it is of. So a body counts in full until its last byte has left the stream's queue,
/// and whatever the socket was given of it has been taken or dropped: else a peer that takes most of each answer, and leaves
/// a little, would have the node keep them all.
final class UnsentBody {
    var bytes: ByteBuffer
    private let byteCount: Int
    private let tally: UnsentTally

    init(_ bytes: ByteBuffer, countedIn tally: UnsentTally) {
        self.bytes = bytes
        self.byteCount = bytes.readableBytes
        self.tally = tally
        tally.change(by: self.byteCount)
    }

    deinit { self.tally.change(by: -self.byteCount) }
}
