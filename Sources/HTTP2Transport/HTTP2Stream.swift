import Certificates
import HTTP2Session
import HTTPTypes
import NIOCore

/// One request and its response. Confined to its connection's event loop.
///
/// After it is closed, everything here does nothing. Use ``reference`` to get back to it from another thread.
package final class HTTP2Stream {
    /// Unique within its connection; 0 for a request that was refused before it got a number.
    package let id: HTTP2StreamID
    package let eventLoop: any EventLoop
    /// Set in `received(head:)` (or right after opening): the peer gets credit only by ``consumed(_:)``, so that it
    /// stops after a window's worth of unconsumed bytes.
    package var isManualCredit = false
    /// Silence is no fault: no deadline for body progress; a graceful shutdown resets it at once.
    package var isLongLived = false
    /// Bytes sent here that have not been handed to the socket; their memory is counted by ``UnsentBody``.
    package private(set) var bufferedByteCount = 0
    package private(set) var isOpen = true

    private(set) var connection: ConnectionHandler?
    private var queue = CircularBuffer<UnsentBody>(initialCapacity: 1)
    private var isBackpressured = false
    private(set) var isHeadSent: Bool
    private(set) var isEndSent = false
    var isEndReceived = false
    /// Why its request is not taken: said once the request is whole.
    var heldRefusal: TLSRefusal?
    /// Received and not yet credited to the peer.
    var unconsumedByteCount = 0
    /// Monotonic nanoseconds of the last progress in each direction, and bytes since then: too few to be progress.
    private(set) var receivedAt: UInt64
    private(set) var sentAt: UInt64
    private var receivedByteCount = 0
    private var sentByteCount = 0
    var serverHandler: (any HTTP2ServerHandler)?
    var clientHandler: (any HTTP2ClientHandler)?

    init(id: HTTP2StreamID, eventLoop: any EventLoop, connection: ConnectionHandler?, now: UInt64, isHeadSent: Bool) {
        self.id = id
        self.eventLoop = eventLoop
        self.connection = connection
        self.receivedAt = now
        self.sentAt = now
        self.isHeadSent = isHeadSent
    }

    /// Whom the certificate of the other side names; `nil` without TLS, or without a certificate.
    package var peerName: CertificateName? { self.connection?.peerName }

    /// The same for all streams of a connection while any of them is open; `nil` for one that is closed.
    package var connectionID: ObjectIdentifier? { self.connection.map { ObjectIdentifier($0) } }

    /// The next send should wait for `becameWritable` when false.
    package var isWritable: Bool {
        guard let connection else { return false }
        return self.bufferedByteCount < connection.limits.streamBufferByteCount
    }

    /// Whether a body of this size would be sent. When too much of its connection, or of its listener, is unsent already, a
    /// stream is reset that sends more.
    package func hasRoom(for byteCount: Int) -> Bool { self.connection?.mayHold(byteCount, more: byteCount) ?? false }

    /// Server: sends the response head; once, before any body.
    package func send(head: HTTPResponse, endStream: Bool = false) {
        guard let connection, !self.isHeadSent else { return }
        self.isHeadSent = true
        self.isEndSent = endStream
        connection.respond(self, head, endStream: endStream)
    }

    /// Queues body bytes without copying them; they leave as the peer's windows allow.
    package func send(_ body: ByteBuffer, endStream: Bool = false) {
        guard let connection, self.isHeadSent, !self.isEndSent else { return }
        let count = body.readableBytes
        if count > 0 {
            guard self.bufferedByteCount < connection.limits.streamBufferByteCountMax else {
                connection.logger.error(
                    "stream reset: its handler sends without regard to backpressure",
                    metadata: ["hint": "this is a mistake in Holdfast: report it with the lines around this one"])
                return self.reset(.internalError)
            }
            guard connection.mayHold(self.bufferedByteCount + count, more: count) else {
                connection.record(.unsentBytes)
                return self.reset(.enhanceYourCalm)
            }
            if self.bufferedByteCount == 0 { self.noteSent(at: connection.now) }
            self.queue.append(UnsentBody(body, countedIn: connection.unsent))
            self.bufferedByteCount += count
            if self.bufferedByteCount >= connection.limits.streamBufferByteCount { self.isBackpressured = true }
            connection.announce(self, byteCount: count)
        }
        if endStream { self.finish() }
    }

    /// Server: the whole response in one call.
    package func respond(_ head: HTTPResponse, body: ByteBuffer? = nil) {
        guard let body, body.readableBytes > 0 else { return self.send(head: head, endStream: true) }
        self.send(head: head)
        self.send(body, endStream: true)
    }

    /// Says that nothing more will be sent.
    package func finish(trailers: HTTPFields = [:]) {
        guard let connection, self.isHeadSent, !self.isEndSent else { return }
        self.isEndSent = true
        connection.end(self, trailers: trailers)
    }

    /// Gives the stream up; what is queued is dropped. `closed(.cancelled)` follows in a later turn of the loop.
    package func reset(_ code: HTTP2FailureCode = .cancel) {
        self.connection?.reset(self, code, reason: .cancelled)
    }

    /// The peer is who it should be: its connection may be idle for long.
    package func keepConnection() { self.connection?.isKept = true }

    /// Counts a bound of a handler's own that the peer ran into, as those of the connection are.
    package func record(_ breach: HTTP2Breach) { self.connection?.record(breach) }

    /// Gives the peer credit for received bytes, when ``isManualCredit`` is set.
    package func consumed(_ byteCount: Int) {
        guard let connection, byteCount > 0 else { return }
        // It waited for its handler until now.
        self.receivedAt = connection.now
        self.receivedByteCount = 0
        self.credit(byteCount)
    }

    /// A way back to this stream from any thread.
    package var reference: HTTP2StreamReference {
        HTTP2StreamReference(eventLoop: self.eventLoop, stream: NIOLoopBound(self, eventLoop: self.eventLoop))
    }

    // MARK: For the connection

    func credit(_ byteCount: Int) {
        let count = min(byteCount, self.unconsumedByteCount)
        guard let connection, count > 0 else { return }
        self.unconsumedByteCount -= count
        connection.consume(self.id, byteCount: count)
    }

    func noteReceived(_ byteCount: Int, now: UInt64) {
        self.receivedByteCount += byteCount
        guard let connection, self.receivedByteCount >= connection.limits.progressByteCountMin else { return }
        self.receivedAt = now
        self.receivedByteCount = 0
    }

    /// Nothing was taken of it, and that was not the doing of its own window.
    func waitedForSocket(now: UInt64) { self.noteSent(at: now) }

    private func noteSent(at now: UInt64) {
        self.sentAt = now
        self.sentByteCount = 0
    }

    /// Takes the next `byteCount` bytes of the body off the queue, piece by piece.
    ///
    /// - Returns: `true` when the stream became writable again by it.
    func take(_ byteCount: Int, now: UInt64, each: (_ piece: ByteBuffer, _ body: UnsentBody) -> Void) -> Bool {
        var missing = byteCount
        while missing > 0 {
            precondition(!self.queue.isEmpty, "stream \(self.id) announced more body than it holds")
            let body = self.queue[self.queue.startIndex]
            let count = min(missing, body.bytes.readableBytes)
            guard let piece = body.bytes.readSlice(length: count) else {
                preconditionFailure("a body is shorter than it was")
            }
            if body.bytes.readableBytes == 0 { self.queue.removeFirst() }
            each(piece, body)
            missing -= count
        }
        self.bufferedByteCount -= byteCount
        self.sentByteCount += byteCount
        guard let connection else { return false }
        if self.bufferedByteCount == 0 || self.sentByteCount >= connection.limits.progressByteCountMin {
            self.noteSent(at: now)
        }
        guard
            self.isBackpressured,
            self.bufferedByteCount <= connection.limits.streamBufferByteCount / 2
        else { return false }
        self.isBackpressured = false
        return true
    }

    func notifyWritable() {
        guard self.isOpen else { return }
        self.serverHandler?.becameWritable(on: self)
        self.clientHandler?.becameWritable(on: self)
    }

    /// Detaches the stream from its connection; the handler still has to be told.
    func detach() {
        self.isOpen = false
        self.connection = nil
        self.queue.removeAll()
        self.bufferedByteCount = 0
    }

    /// Tells the handler, once, and lets go of it.
    func notifyClosed(_ reason: HTTP2CloseReason) {
        let (server, client) = (self.serverHandler, self.clientHandler)
        self.serverHandler = nil
        self.clientHandler = nil
        server?.closed(reason, on: self)
        client?.closed(reason, on: self)
    }
}

/// Carries a stream across threads; only its event loop gets to it.
package struct HTTP2StreamReference: Sendable {
    package let eventLoop: any EventLoop
    private let stream: NIOLoopBound<HTTP2Stream>

    fileprivate init(eventLoop: any EventLoop, stream: NIOLoopBound<HTTP2Stream>) {
        self.eventLoop = eventLoop
        self.stream = stream
    }

    /// Calls `body` on the stream's event loop: at once when already there.
    package func execute(_ body: @escaping @Sendable (HTTP2Stream) -> Void) {
        let stream = self.stream
        if self.eventLoop.inEventLoop { return body(stream.value) }
        self.eventLoop.execute { body(stream.value) }
    }
}
