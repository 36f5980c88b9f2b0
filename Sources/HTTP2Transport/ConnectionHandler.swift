import Certificates
import HTTP2Session
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
    /// Client: the peer said that it speaks HTTP/1.1 only.
    var isPeerHTTP11 = false
    /// When bytes arrived last.
    private(set) var receivedAt: UInt64

    /// Server: what is shared with the listener's other connections.
    let listener: HTTP2Listener?
    let makeHandler: (@Sendable (any EventLoop) -> any HTTP2ServerHandler)?
    var streams: [HTTP2StreamID: HTTP2Stream] = [:]
    var context: ChannelHandlerContext?
    private var sniffer = PrefaceSniffer()
    var writer = OutputWriter()
    var spareEvents: [HTTP2Event] = []
    private var isReading = false
    private var isPumping = false
    private(set) var isPumpScheduled = false
    var needsPump = false
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
                self.refuse(context, with: self.hint(isSecure: self.security != nil, self.refusal).response)
            case .tls:
                self.logger.info(
                    "connection refused",
                    metadata: ["peer": "\(self.authority)", "reason": "it speaks TLS, and this port does not"])
                self.refuse(context, with: self.hint(isSecure: false, nil).response)
            case .unknown:
                self.record(.notHTTP2)
                context.close(promise: nil)
            }
        case .lingering, .closed: break
        }
    }

    private func hint(isSecure: Bool, _ refusal: TLSRefusal?) -> HTTP1Hint {
        HTTP1Hint(isSecure: isSecure, refusal: refusal, purpose: self.listener?.foreignHint)
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

    // MARK: The pump

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
}
