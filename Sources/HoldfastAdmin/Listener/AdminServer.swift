import HoldfastClient
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// Why there is no admin listener. Nothing is bound then.
package enum AdminError: Error, Sendable {
    /// `reason` is the system's.
    case bind(ServerAddress, reason: String)
}

/// The HTTP/1.1 listener for people, probes and scrapers.
///
/// It has a service group of its own, so that it tells of a node that is stopping until the node says that it may go.
package final class AdminServer: Sendable {
    /// The port that was bound, where any was asked for.
    package let port: Int
    let connections: AdminConnections
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    private init(
        port: Int, connections: AdminConnections, group: ServiceGroup, running: Task<Void, any Error>
    ) {
        self.port = port
        self.connections = connections
        self.group = group
        self.running = running
    }

    /// - Parameters:
    ///   - address: Port 0 lets the system choose.
    ///   - door: To the client API, which is mirrored then.
    ///   - names: By which this node may be called, beside addresses and `localhost`.
    ///   - bounds: Of its connections.
    package static func start(
        _ address: ServerAddress, node: any AdminNode, door: (any ClientDoor)? = nil, names: Set<String>,
        authority: any AdminAuthority = OpenToAll(), bounds: ConnectionBounds = ConnectionBounds(),
        on group: any EventLoopGroup, logger: Logger
    ) async throws(AdminError) -> AdminServer {
        let logger = Logger(label: logger.label) { _ in QuietHandler(logger.handler) }
        let (bound, binding) = AsyncStream.makeStream(of: Result<Int, AdminError>.self)
        let connections = AdminConnections(bounds: bounds, logger: logger)
        let routes = AdminRoutes(node: node, connections: connections)
        let application = Application(
            router: routes.router(names: names.union([address.host]), authority: authority, door: door),
            server: HTTPServerBuilder { AdminChannel(connections, responder: $0) },
            configuration: ApplicationConfiguration(address: .hostname(address.host, port: address.port)),
            onServerRunning: { channel in binding.yield(.success(channel.localAddress?.port ?? address.port)) },
            eventLoopGroupProvider: .shared(group), logger: logger)
        var configuration = ServiceGroupConfiguration(services: [application], logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(AdminLimits.shutdownSeconds)
        let services = ServiceGroup(configuration: configuration)
        // Detached: the node's own signal to stop is not yet the one for this listener.
        let running = Task.detached {
            do { try await services.run() } catch {
                binding.yield(.failure(.bind(address, reason: "\(error)")))
                throw error
            }
        }
        for await result in bound {
            return AdminServer(
                port: try result.get(), connections: connections, group: services, running: running)
        }
        throw .bind(address, reason: "cancelled")
    }

    /// Ends open streams, lets other requests finish, and closes the port.
    package func shutdown() async {
        await self.group.triggerGracefulShutdown()
        _ = await self.running.result
    }
}
