import Certificates
import HTTP2Session
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOTLS

/// The channel's one handler: a socket on one side, a session and its streams on the other.
///
/// ```
/// channelRead -> session.receive -> events -> handlers -+
///                                                       | send, finish, reset, consumed
/// channelReadComplete or a later turn -> pump <---------+
/// pump: while the channel is writable: session.drain -> write; then one flush
/// ```
/// The pump never runs inside `receive`, and whatever is sent in one read batch or one turn of the loop leaves in one
/// flush. Everything is confined to the event loop.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Of a request that is refused, read and thrown away.
    private static let refusedByteCountMax = 8 << 20
    /// Serialized at a time, before the channel is asked again whether it is writable.
    static let drainByteCount = 256 * 1024
    static let lingerMilliseconds: Int64 = 1_000
    static let shutdownPing: UInt64 = 0x686f_6c64_6661_7374

    enum Phase { case sniffing, open, lingering, closed }

    let role: HTTP2Session.Role
    let limits: HTTP2Limits
    let eventLoop: any EventLoop
    let logger: Logger
    let session: HTTP2Session
    /// Monotonic nanoseconds, as of the current read batch, pump or tick.
    var now: UInt64
    var phase: Phase
    /// The peer, or this side, takes no more requests.
    var isGoingAway = false
    /// When bytes arrived last.
    private(set) var receivedAt: UInt64

    /// Server: what is shared with the listener's other connections.
    let listener: HTTP2Listener?
    private let makeHandler: (@Sendable (any EventLoop) -> any HTTP2ServerHandler)?
    var streams: [HTTP2StreamID: HTTP2Stream] = [:]
    var context: ChannelHandlerContext?
    private var sniffer = PrefaceSniffer()
    var writer = OutputWriter()
    private var spareEvents: [HTTP2Event] = []
    private var isReading = false
    private var isPumping = false
    private(set) var isPumpScheduled = false
    private var needsPump = false
    private var hasStarted = false
    var isProbing = false
    var startedAt: UInt64
    var idleSince: UInt64
    var unread: UnreadWatch
    var authority = "localhost"
    var scheme = "http"
    /// Server: set while the connection is by TLS.
    var security: Security?
    /// Whom the other side's certificate names.
    var peerName: CertificateName?
    /// Why no request of this connection is heard.
    var refusal: TLSRefusal?
    var stalls: RateBudget
    /// See ``HTTP2Limits/keptIdleMilliseconds``.
    var isKept = false
    /// Bodies that the streams have sent, and the peer has not taken.
    let unsent: UnsentTally

    /// - Throws: ``HTTP2SessionError/outOfMemory``.
    init(
        role: HTTP2Session.Role, limits: HTTP2Limits, eventLoop: any EventLoop, logger: Logger,
        listener: HTTP2Listener?, makeHandler: (@Sendable (any EventLoop) -> any HTTP2ServerHandler)?
    ) throws(HTTP2SessionError) {
        self.role = role
        self.limits = limits
        self.eventLoop = eventLoop
        self.logger = logger
        self.listener = listener
        self.unsent = UnsentTally(listener: listener)
        self.unread = UnreadWatch(progressByteCountMin: limits.progressByteCountMin)
        self.makeHandler = makeHandler
        self.stalls = limits.stalls
        self.session = try HTTP2Session(role: role, limits: limits.session)
        self.phase = role == .server ? .sniffing : .open
        let now = NIODeadline.now().uptimeNanoseconds
        self.now = now
        self.startedAt = now
        self.idleSince = now
        self.receivedAt = now
    }

    var openStreamCount: Int { self.streams.count }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { self.start(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.connectionLost()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        self.start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard !self.hasStarted else { return }
        self.hasStarted = true
        self.now = NIODeadline.now().uptimeNanoseconds
        self.startedAt = self.now
        self.idleSince = self.now
        self.authority = context.remoteAddress.peerDescription
        self.scheduleTick(context)
        if self.phase == .open { self.pump() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.isReading = true
        self.now = NIODeadline.now().uptimeNanoseconds
        self.receivedAt = self.now
        var buffer = Self.unwrapInboundIn(data)
        switch self.phase {
        case .open: self.receive(buffer)
        case .sniffing:
            switch self.sniffer.add(&buffer) {
            case .needsMore: break
            case .http2(let bytes):
                self.phase = .open
                self.needsPump = true
                self.receive(bytes)
            case .http1:
                self.refuse(context, with: HTTP1Hint(isSecure: self.security != nil, refusal: self.refusal).response)
            case .tls:
                self.logger.info(
                    "connection refused",
                    metadata: ["peer": "\(self.authority)", "reason": "it speaks TLS, and this port does not"])
                self.refuse(context, with: HTTP1Hint(isSecure: false, refusal: nil).response)
            case .unknown:
                self.record(.notHTTP2)
                context.close(promise: nil)
            }
        case .lingering, .closed: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.isReading = false
        if self.phase == .open { self.pump() }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            self.unread.becameWritable()
            if self.isPumping || self.isReading { self.needsPump = true } else { self.pump() }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.connectionLost()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.note(error)
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { self.handshakeCompleted() }
        context.fireUserInboundEventTriggered(event)
    }

    // MARK: In

    private func receive(_ buffer: ByteBuffer) {
        var failure: HTTP2SessionError?
        let now = MonotonicTime(nanoseconds: self.now)
        buffer.withUnsafeReadableBytes { bytes in
            do throws(HTTP2SessionError) { try self.session.receive(bytes, now: now) } catch { failure = error }
        }
        self.dispatch(buffer)
        if let failure, self.phase == .open { self.fail(failure) }
    }

    /// Hands the session's events to the streams. `buffer` holds the body bytes they point at.
    private func dispatch(_ buffer: ByteBuffer?) {
        guard self.session.hasEvents else { return }
        var events = self.spareEvents
        self.spareEvents = []
        self.session.takeEvents(into: &events)
        for event in events where self.phase == .open { self.dispatch(event, buffer) }
        self.spareEvents = events
    }

    private func dispatch(_ event: HTTP2Event, _ buffer: ByteBuffer?) {
        switch event {
        case .head(let id, let fields): self.receivedHead(id, fields)
        case .headTooLarge(let id): self.receivedTooLargeHead(id)
        case .body(let id, let range): self.receivedBody(id, range, buffer)
        case .end(let id, let trailers):
            guard let stream = self.streams[id] else { return }
            stream.isEndReceived = true
            if let refusal = stream.heldRefusal.take() {
                stream.serverHandler?.received(refusal: refusal, on: stream)
                return
            }
            stream.serverHandler?.receivedEnd(on: stream)
            stream.clientHandler?.receivedEnd(trailers: HTTPConversion.headers(trailers), on: stream)
        case .closed(let id, let code, let isUnprocessed):
            guard let stream = self.streams[id] else { return }
            let isDone = self.role == .client ? stream.isEndReceived : stream.isEndSent
            self.close(stream, isUnprocessed ? .refused : code == .noError && isDone ? .finished : .reset(code))
        case .goAway(_, let code, _):
            self.isGoingAway = true
            self.logger.debug("peer is going away", metadata: ["code": "\(code)"])
        case .pong(Self.shutdownPing):
            self.session.refuseNewStreams(.noError)
            self.setNeedsPump()
        case .pong, .settings: break
        }
    }

    private func receivedHead(_ id: HTTP2StreamID, _ fields: [HTTP2Field]) {
        switch self.role {
        case .client:
            guard let stream = self.streams[id] else { return }
            guard let head = HTTPConversion.response(fields) else {
                return self.reset(stream, .protocolError, reason: .reset(.protocolError))
            }
            stream.clientHandler?.received(head: head, on: stream)
        case .server:
            guard let makeHandler else { return }
            let stream = self.accept(id)
            guard let head = HTTPConversion.request(fields) else {
                return stream.respond(HTTPResponse(status: .badRequest))
            }
            let handler = makeHandler(self.eventLoop)
            stream.serverHandler = handler
            guard let refusal else { return handler.received(head: head, on: stream) }
            // Not every client hears an answer while it is still sending: a body of which an end is in sight is waited for.
            let length = head.headerFields[.contentLength].flatMap { Int($0) }
            if let length, (1...Self.refusedByteCountMax).contains(length) {
                stream.heldRefusal = refusal
            } else {
                handler.received(refusal: refusal, on: stream)
            }
        }
    }

    private func receivedTooLargeHead(_ id: HTTP2StreamID) {
        switch self.role {
        case .client:
            guard let stream = self.streams[id] else { return }
            self.reset(stream, .cancel, reason: .reset(.enhanceYourCalm))
        case .server:
            guard let makeHandler else { return }
            let stream = self.accept(id)
            let handler = makeHandler(self.eventLoop)
            stream.serverHandler = handler
            handler.receivedTooLargeHead(on: stream)
        }
    }

    private func accept(_ id: HTTP2StreamID) -> HTTP2Stream {
        let stream = HTTP2Stream(id: id, eventLoop: self.eventLoop, connection: self, now: self.now, isHeadSent: false)
        self.streams[id] = stream
        return stream
    }

    private func receivedBody(_ id: HTTP2StreamID, _ range: Range<Int>, _ buffer: ByteBuffer?) {
        guard
            let stream = self.streams[id], stream.serverHandler != nil || stream.clientHandler != nil,
            let buffer, let body = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count)
        else {
            // Nobody reads it, but the connection's window must not leak.
            return self.session.consume(id, byteCount: range.count)
        }
        stream.unconsumedByteCount += range.count
        if stream.heldRefusal == nil { stream.serverHandler?.received(body: body, on: stream) }
        stream.clientHandler?.received(body: body, on: stream)
        stream.noteReceived(range.count, now: self.now)
        if !stream.isManualCredit { stream.credit(range.count) }
    }

    // MARK: Out

    /// Lets the pump run at the end of this read batch or this turn of the loop.
    func setNeedsPump() {
        self.needsPump = true
        guard !self.isReading, !self.isPumping, !self.isPumpScheduled else { return }
        self.isPumpScheduled = true
        self.eventLoop.assumeIsolated().execute {
            self.isPumpScheduled = false
            if self.needsPump, !self.isReading { self.pump() }
        }
    }

    private func pump() {
        guard let context, self.phase == .open, !self.isPumping else { return }
        self.isPumping = true
        self.now = NIODeadline.now().uptimeNanoseconds
        repeat {
            self.needsPump = false
            var isMore = true
            while isMore && context.channel.isWritable {
                isMore = self.session.drain(byteCountMax: min(Self.drainByteCount, self.limits.socketBufferByteCount))
                self.writer.write(self.session, streams: self.streams, context: context, now: self.now)
            }
            if self.writer.hasWritten {
                self.writer.hasWritten = false
                context.flush()
            }
            self.dispatch(nil)
            for stream in self.writer.takeWritableStreams() { stream.notifyWritable() }
        } while self.needsPump && context.channel.isWritable && self.phase == .open
        self.isPumping = false
        guard self.phase == .open else { return }
        // A flood may also show in what is sent.
        if let failure = self.session.failure, case .flood = failure { return self.fail(failure) }
        guard self.session.isFinished else { return }
        // nghttp2 answers most violations itself, without a word to us.
        if self.session.failure == nil, let code = self.session.sentGoAway, code != .noError { self.record(.violation) }
        self.linger(context)
    }

    func respond(_ stream: HTTP2Stream, _ head: HTTPResponse, endStream: Bool) {
        self.session.respond(to: stream.id, HTTPConversion.fields(head), endStream: endStream)
        self.setNeedsPump()
    }

    func announce(_ stream: HTTP2Stream, byteCount: Int) {
        self.session.send(bodyOf: stream.id, byteCount: byteCount)
        self.setNeedsPump()
    }

    func end(_ stream: HTTP2Stream, trailers: HTTPFields) {
        self.session.end(stream.id, trailers: HTTPConversion.fields(trailers))
        self.setNeedsPump()
    }

    func consume(_ id: HTTP2StreamID, byteCount: Int) {
        self.session.consume(id, byteCount: byteCount)
        self.setNeedsPump()
    }

    /// Resets a stream from this side; its handler is told in a later turn.
    func reset(_ stream: HTTP2Stream, _ code: HTTP2FailureCode, reason: HTTP2CloseReason) {
        guard stream.isOpen else { return }
        self.session.reset(stream.id, code)
        self.remove(stream)
        self.setNeedsPump()
        self.eventLoop.assumeIsolated().execute { stream.notifyClosed(reason) }
    }

    private func close(_ stream: HTTP2Stream, _ reason: HTTP2CloseReason) {
        self.remove(stream)
        stream.notifyClosed(reason)
    }

    /// Whether a stream may hold `byteCount` unsent bytes, of which `more` are new.
    func mayHold(_ byteCount: Int, more: Int) -> Bool {
        // A server's few words; how many streams may have them is bounded.
        guard let listener, byteCount > self.limits.smallBodyByteCount else { return true }
        guard self.unsent.byteCount < self.limits.unsentByteCountMax else { return false }
        return listener.unsentByteCount < self.limits.listenerUnsentByteCountMax
            || self.unsent.byteCount + more <= self.limits.unsentByteCountShare
    }

    private func remove(_ stream: HTTP2Stream) {
        self.streams[stream.id] = nil
        if self.streams.isEmpty { self.idleSince = self.now }
        if stream.unconsumedByteCount > 0 {
            self.session.consume(stream.id, byteCount: stream.unconsumedByteCount)
            stream.unconsumedByteCount = 0
            self.needsPump = true
        }
        stream.detach()
    }
}
