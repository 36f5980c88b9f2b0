import Logging
import NIOCore
import NIOPosix

/// Listens for HTTP/2, with prior knowledge or by TLS; HTTP/1 gets a readable 426.
package final class HTTP2Server: Sendable {
    /// Where it listens; the port is the real one when 0 was asked for.
    package let localAddress: SocketAddress
    private let channel: any Channel
    private let listener: HTTP2Listener

    private init(channel: any Channel, localAddress: SocketAddress, listener: HTTP2Listener) {
        self.channel = channel
        self.localAddress = localAddress
        self.listener = listener
    }

    /// - Parameters:
    ///   - port: 0 lets the system choose; see ``localAddress``.
    ///   - tls: `nil` for plain text.
    ///   - foreignHint: What an HTTP/1 client is told, one line; by default how to speak HTTP/2 here.
    ///   - group: Connections are spread over its loops; a single event loop is a group too.
    ///   - handler: Called on a connection's event loop for each stream it accepts.
    /// - Throws: What `bind` failed with (`IOError`, `SocketAddressError`); nothing is left behind then.
    package static func bind(
        host: String, port: Int, on group: any EventLoopGroup, limits: HTTP2Limits = HTTP2Limits(),
        tls: TLSListening? = nil, foreignHint: String? = nil, logger: Logger,
        handler: @escaping @Sendable (any EventLoop) -> any HTTP2ServerHandler
    ) async throws -> HTTP2Server {
        let listener = HTTP2Listener(limits: limits, foreignHint: foreignHint, logger: logger)
        let channel = try await ServerBootstrap(group: group)
            // Clients of a leader that is gone come all at once; whom the queue has no place for comes again a second later.
            .serverChannelOption(.backlog, value: Int32(clamping: max(512, limits.connectionsMax)))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connectionHandler = try ConnectionHandler(
                        role: .server, limits: limits, eventLoop: channel.eventLoop, logger: logger,
                        listener: listener, makeHandler: handler)
                    let connection = HTTP2Connection(channel: channel, handler: connectionHandler)
                    if let breach = listener.add(connection) {
                        listener.record(breach, by: connection.remoteAddress.peerDescription)
                        throw ChannelError.ioOnClosedChannel
                    }
                    channel.closeFuture.whenComplete { _ in listener.remove(connection) }
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(TLSDoor(tls, connectionHandler))
                    }
                    try HTTP2Connection.prepare(channel, connectionHandler)
                }
            }
            .bind(host: host, port: port)
            .get()
        guard let address = channel.localAddress else {
            try await channel.close()
            throw ChannelError.unknownLocalAddress
        }
        return HTTP2Server(channel: channel, localAddress: address, listener: listener)
    }

    package var host: String { self.localAddress.ipAddress ?? "" }
    package var port: Int { self.localAddress.port ?? 0 }
    package var connectionCount: Int { self.listener.connectionCount }
    /// How often peers broke each bound; those that nobody broke are missing.
    package var breachCounts: [HTTP2Breach: UInt64] { self.listener.breachCounts }

    /// Stops listening, tells every client to go (GOAWAY), lets open streams end, and closes what is still open after
    /// `grace`. Long-lived streams are reset at once. When it returns, no socket of this server is open.
    package func shutdown(grace: TimeAmount) async {
        try? await self.channel.close()
        let connections = self.listener.openConnections
        for connection in connections { connection.shutDown() }
        let eventLoop = self.channel.eventLoop
        let deadline = eventLoop.scheduleTask(in: grace) { for connection in connections { connection.close() } }
        try? await EventLoopFuture.andAllComplete(connections.map(\.closeFuture), on: eventLoop).get()
        deadline.cancel()
    }
}
