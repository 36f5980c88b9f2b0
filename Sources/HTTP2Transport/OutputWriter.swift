import HTTP2Session
import NIOCore

/// Turns a session's output into writes: small pieces together in one buffer, large bodies by reference.
struct OutputWriter {
    /// Bodies up to this size are copied beside their frame header: cheaper than one more entry for `writev`.
    private static let copiedByteCountMax = 4_096

    private enum Segment {
        /// A range of the common buffer.
        case small(Range<Int>)
        case large(ByteBuffer)
    }

    /// Something waits for a flush.
    var hasWritten = false
    private var buffer = ByteBuffer()
    private var segments: [Segment] = []
    /// Those that large segments are of.
    private var bodies: [UnsentBody] = []
    private var writableStreams: [HTTP2Stream] = []

    /// Writes all of the session's output to the channel, without flushing.
    mutating func write(
        _ session: HTTP2Session, streams: [HTTP2StreamID: HTTP2Stream], context: ChannelHandlerContext, now: UInt64
    ) {
        guard !session.output.isEmpty else { return }
        // Fresh memory when the channel still holds slices of the old.
        self.buffer.clear()
        for piece in session.output.pieces {
            switch piece {
            case .bytes(let range): self.appendSmall { $0.writeBytes(session.output.bytes[range]) }
            case .body(let id, let byteCount): self.append(bodyOf: id, byteCount, streams, now)
            }
        }
        session.discardOutput()
        let last = self.segments.count - 1
        for (number, segment) in self.segments.enumerated() {
            let written = number == last ? self.written(context.eventLoop) : nil
            context.write(ConnectionHandler.wrapOutboundOut(self.bytes(of: segment)), promise: written)
        }
        self.segments.removeAll(keepingCapacity: true)
        self.hasWritten = true
    }

    private func bytes(of segment: Segment) -> ByteBuffer {
        switch segment {
        case .large(let piece): return piece
        case .small(let range):
            guard let slice = self.buffer.getSlice(at: range.lowerBound, length: range.count) else {
                preconditionFailure("the common buffer is shorter than what was written to it")
            }
            return slice
        }
    }

    /// Keeps the bodies counted until the socket has taken or dropped this batch; `nil` when it refers to none.
    private mutating func written(_ eventLoop: any EventLoop) -> EventLoopPromise<Void>? {
        guard !self.bodies.isEmpty else { return nil }
        let bodies = self.bodies
        self.bodies = []
        let promise = eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(bodies) {} }
        return promise
    }

    private mutating func append(
        bodyOf id: HTTP2StreamID, _ byteCount: Int, _ streams: [HTTP2StreamID: HTTP2Stream], _ now: UInt64
    ) {
        guard let stream = streams[id] else {
            preconditionFailure("stream \(id) was closed between drain and write")
        }
        let isWritableAgain = stream.take(byteCount, now: now) { piece, body in
            if piece.readableBytes <= Self.copiedByteCountMax {
                self.appendSmall { $0.writeImmutableBuffer(piece) }
            } else {
                self.segments.append(.large(piece))
                if self.bodies.last !== body { self.bodies.append(body) }
            }
        }
        if isWritableAgain { self.writableStreams.append(stream) }
    }

    private mutating func appendSmall(_ write: (inout ByteBuffer) -> Int) {
        let start = self.buffer.writerIndex
        let count = write(&self.buffer)
        if case .small(let range) = self.segments.last {
            self.segments[self.segments.count - 1] = .small(range.lowerBound..<start + count)
        } else {
            self.segments.append(.small(start..<start + count))
        }
    }

    /// Streams that became writable by what was written since the last call.
    mutating func takeWritableStreams() -> [HTTP2Stream] {
        guard !self.writableStreams.isEmpty else { return [] }
        defer { self.writableStreams = [] }
        return self.writableStreams
    }
}
