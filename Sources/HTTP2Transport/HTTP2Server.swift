import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Listens for HTTP/2, with prior knowledge or by TLS; HTTP/1 gets a readable 426.
package final class HTTP2Server: Sendable {
    /// Where it listens; the port is the real one when 0 was asked for.
    package let localAddress: SocketAddress
    private let channel: any Channel
    private let registry: Registry

    /// The connections that are open.
    private final class Registry: Sendable {
        private let connections = Mutex<[ObjectIdentifier: HTTP2Connection]>([:])

        func add(_ connection: HTTP2Connection, max: Int) -> Bool {
            self.connections.withLock {
                guard $0.count < max else { return false }
                $0[ObjectIdentifier(connection)] = connection
                return true
            }
        }

        func remove(_ connection: HTTP2Connection) {
            _ = self.connections.withLock { $0.removeValue(forKey: ObjectIdentifier(connection)) }
        }

        var all: [HTTP2Connection] { self.connections.withLock { Array($0.values) } }
        var count: Int { self.connections.withLock { $0.count } }
    }

    private init(channel: any Channel, localAddress: SocketAddress, registry: Registry) {
        self.channel = channel
        self.localAddress = localAddress
        self.registry = registry
    }

    /// - Parameters:
    ///   - port: 0 lets the system choose; see ``localAddress``.
    ///   - tls: `nil` for plain text.
    ///   - group: Connections are spread over its loops; a single event loop is a group too.
    ///   - handler: Called on a connection's event loop for each stream it accepts.
    /// - Throws: What `bind` failed with (`IOError`, `SocketAddressError`); nothing is left behind then.
    package static func bind(
        host: String, port: Int, on group: any EventLoopGroup, limits: HTTP2Limits = HTTP2Limits(),
        tls: TLSListening? = nil, logger: Logger,
        handler: @escaping @Sendable (any EventLoop) -> any HTTP2ServerHandler
    ) async throws -> HTTP2Server {
        let registry = Registry()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connectionHandler = try ConnectionHandler(
                        role: .server, limits: limits, eventLoop: channel.eventLoop, logger: logger,
                        makeHandler: handler)
                    let connection = HTTP2Connection(channel: channel, handler: connectionHandler)
                    guard registry.add(connection, max: limits.connectionsMax) else {
                        logger.warning(
                            "connection refused: too many",
                            metadata: [
                                "max": "\(limits.connectionsMax)",
                                "hint": "a client needs one: look for what opens more",
                            ])
                        throw ChannelError.ioOnClosedChannel
                    }
                    channel.closeFuture.whenComplete { _ in registry.remove(connection) }
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
        return HTTP2Server(channel: channel, localAddress: address, registry: registry)
    }

    package var host: String { self.localAddress.ipAddress ?? "" }
    package var port: Int { self.localAddress.port ?? 0 }
    package var connectionCount: Int { self.registry.count }

    /// Stops listening, tells every client to go (GOAWAY), lets open streams end, and closes what is still open after
    /// `grace`. Long-lived streams are reset at once. When it returns, no socket of this server is open.
    package func shutdown(grace: TimeAmount) async {
        try? await self.channel.close()
        let connections = self.registry.all
        for connection in connections { connection.shutDown() }
        let eventLoop = self.channel.eventLoop
        let deadline = eventLoop.scheduleTask(in: grace) { for connection in connections { connection.close() } }
        try? await EventLoopFuture.andAllComplete(connections.map(\.closeFuture), on: eventLoop).get()
        deadline.cancel()
    }
}
