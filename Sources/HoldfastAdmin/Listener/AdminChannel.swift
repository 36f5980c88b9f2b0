import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes

#if canImport(Glibc)
    import Glibc
#endif

/// A connection of the admin listener: HTTP/1.1 within bounds, and words for whoever speaks something else.
struct AdminChannel: ServerChildChannel {
    private let http: HTTP1Channel
    private let connections: AdminConnections

    init(_ connections: AdminConnections, responder: @escaping HTTPChannelHandler.Responder) {
        self.connections = connections
        self.http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [ConnectionDeadlines(connections)],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: AdminLimits.headByteCountMax, maxHeaderListSize: AdminLimits.headByteCountMax,
                    maxHeaderFieldCount: AdminLimits.headFieldsMax)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.syncOptions?.setOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 1_024, initial: 2_048, maximum: AdminLimits.readByteCountMax))
            try channel.syncOptions?.setOption(
                .socketOption(.so_sndbuf), value: SocketOptionValue(AdminLimits.socketBufferByteCount))
            try Self.askAfterSilence(channel)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(ConnectionGuard(self.connections))
            try pipeline.addHandler(ForeignProtocolHandler())
        }.flatMap { self.http.setup(channel: channel, logger: logger) }
    }

    /// Rule: the end of a connection cancels what is done for its request. Why: whoever waits for news to write does not hear
    /// of that end before there are any, and an idle log has none.
    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        let handling = Task { await self.http.handle(value: value, logger: logger) }
        value.channel.closeFuture.whenComplete { _ in handling.cancel() }
        await withTaskCancellationHandler {
            await handling.value
        } onCancel: {
            handling.cancel()
        }
    }

    /// A stream without news writes nothing: only the kernel finds out that its reader's machine is gone, and is asked to
    /// (`SO_KEEPALIVE`, tcp(7)).
    private static func askAfterSilence(_ channel: any Channel) throws {
        let options = channel.syncOptions
        try options?.setOption(.socketOption(.so_keepalive), value: 1)
        #if os(Linux)
            for (option, value) in AdminLimits.keepalive {
                try options?.setOption(.tcpOption(NIOBSDSocket.Option(rawValue: option)), value: value)
            }
        #endif
    }
}
