import CLinux
import HTTPTypes
import Logging
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#endif

/// One HTTP/2 connection, seen from the side that opened it.
///
/// ``open(_:handler:endStream:)`` and ``isUsable`` belong to ``eventLoop``; the rest may be called from any thread.
package final class HTTP2Connection: Sendable {
    package let eventLoop: any EventLoop
    /// Succeeds once the socket is closed; all streams have been told by then.
    package let closeFuture: EventLoopFuture<Void>
    package let remoteAddress: SocketAddress?
    private let handler: NIOLoopBound<ConnectionHandler>

    init(channel: any Channel, handler: ConnectionHandler) {
        self.eventLoop = channel.eventLoop
        self.closeFuture = channel.closeFuture
        self.remoteAddress = channel.remoteAddress
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    /// Connects by TCP, and by TLS where that is asked for, and starts to speak HTTP/2. Only with TLS it waits for what
    /// the peer says first.
    ///
    /// - Returns: A future on `eventLoop`; it fails with an `IOError` (connection refused and the like), a
    ///   `ChannelError.connectTimeout` or a ``TLSRefusal``. Nothing was sent then.
    package static func connect(
        host: String, port: Int, on eventLoop: any EventLoop, limits: HTTP2Limits = HTTP2Limits(),
        tls: TLSCalling? = nil, logger: Logger
    ) -> EventLoopFuture<HTTP2Connection> {
        // By channel: a name may have several addresses, which are tried side by side. Kept here and not asked of the pipeline,
        // since a channel that was closed at once has none any more.
        let begun = NIOLoopBoundBox<[ObjectIdentifier: Begun]>.makeBoxSendingValue([:], eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.milliseconds(Int64(clamping: limits.connectMilliseconds)))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = try ConnectionHandler(
                        role: .client, limits: limits, eventLoop: channel.eventLoop, logger: logger, listener: nil,
                        makeHandler: nil)
                    if tls != nil { handler.scheme = "https" }
                    let gate = try tls?.prepare(channel, host: host, limits: limits)
                    try Self.prepare(channel, handler)
                    begun.value[ObjectIdentifier(channel)] = Begun(handler: handler, gate: gate)
                }
            }
        let connected: EventLoopFuture<any Channel>
        // A numeric address needs no resolver thread.
        if let address = try? SocketAddress(ipAddress: host, port: port) {
            connected = bootstrap.connect(to: address)
        } else {
            connected = bootstrap.connect(host: host, port: port)
        }
        return connected.flatMap { channel in
            guard let own = begun.value[ObjectIdentifier(channel)] else {
                preconditionFailure("a channel connects that was not prepared")
            }
            let connection = Self(channel: channel, handler: own.handler)
            guard let gate = own.gate else { return eventLoop.makeSucceededFuture(connection) }
            gate.opened.whenFailure { _ in connection.close() }
            return gate.opened.map { connection }
        }
    }

    /// What a channel was given to begin with.
    private struct Begun {
        let handler: ConnectionHandler
        let gate: TLSGate?
    }

    /// Options and handler of a channel of either role; on its event loop.
    static func prepare(_ channel: any Channel, _ handler: ConnectionHandler) throws {
        let options = channel.syncOptions
        try options?.setOption(.tcpOption(.tcp_nodelay), value: 1)
        #if os(Linux)
            let userTimeout = NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)
            let milliseconds = Int(clamping: handler.limits.unacknowledgedMilliseconds)
            try options?.setOption(.tcpOption(userTimeout), value: milliseconds)
        #endif
        try options?.setOption(
            .recvAllocator,
            value: AdaptiveRecvByteBufferAllocator(minimum: 4_096, initial: 16_384, maximum: 512 * 1_024))
        let high = handler.limits.socketBufferByteCount
        try options?.setOption(.writeBufferWaterMark, value: .init(low: high / 4, high: high))
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// Sends a request; on the event loop only.
    ///
    /// The body follows by ``HTTP2Stream/send(_:endStream:)`` unless `endStream`. When the connection takes no more
    /// requests, `handler` hears `closed(.refused)` in a later turn of the loop: nothing was sent then.
    package func open(
        _ request: HTTPRequest, handler: any HTTP2ClientHandler, endStream: Bool = false
    ) -> HTTP2Stream {
        self.handler.value.open(request, handler: handler, endStream: endStream)
    }

    /// Whether a request opened now would be sent; on the event loop only.
    package var isUsable: Bool { self.handler.value.isUsable }

    /// The peer or this side has ended it for new requests, or it is closed; on the event loop only.
    package var isGoingAway: Bool { self.handler.value.isGoingAway || self.handler.value.phase != .open }

    /// The peer said that it speaks HTTP/1.1 only; on the event loop only.
    package var isPeerHTTP11: Bool { self.handler.value.isPeerHTTP11 }

    /// Monotonic nanoseconds (`NIODeadline`) of the last bytes from the peer; on the event loop only.
    package var receivedAt: NIODeadline { .uptimeNanoseconds(self.handler.value.receivedAt) }

    /// Bytes that the socket was given and has not sent yet: the network or the peer does not keep up; on the event loop only.
    package var unsentByteCount: Int {
        self.handler.value.context?.askSocket(holdfast_unsent_byte_count) ?? 0
    }

    /// Pings the peer and closes unless it says something within `milliseconds`; on the event loop only.
    package func probe(within milliseconds: UInt64) { self.handler.value.probe(within: milliseconds) }

    /// Opens no more streams, lets the open ones end (long-lived ones are reset), then closes.
    package func shutDown() {
        self.onLoop { $0.shutDown() }
    }

    /// Closes at once; open streams end with `connectionLost`.
    package func close() {
        self.onLoop { $0.closeNow() }
    }

    private func onLoop(_ body: @escaping @Sendable (ConnectionHandler) -> Void) {
        let handler = self.handler
        if self.eventLoop.inEventLoop { return body(handler.value) }
        self.eventLoop.execute { body(handler.value) }
    }
}
