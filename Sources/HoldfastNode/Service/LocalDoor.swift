import HTTP2Transport
import HTTPTypes
import HoldfastAdmin
import HoldfastClient
import Logging
import NIOCore

/// Takes requests of the admin listener to this node's own client listener, over connections that are made when they are
/// needed: so they are read, forwarded and answered as all others are.
final class LocalDoor: ClientDoor {
    private let address: ServerAddress
    private let eventLoop: any EventLoop
    private let connections: NIOLoopBoundBox<DoorConnections>

    /// - Parameters:
    ///   - address: Where the client listener is; everywhere is here, too.
    ///   - connections: How many of that it has.
    ///   - bounds: Of the admin listener.
    init(
        _ address: ServerAddress, having connections: DoorConnections.Bounds, tls: TLSCalling?,
        bounds: ConnectionBounds, on eventLoop: any EventLoop, logger: Logger
    ) {
        let here = ["0.0.0.0": "127.0.0.1", "::": "::1"]
        let address = ServerAddress(host: here[address.host] ?? address.host, port: address.port)
        let limits = Self.limits(bounds)
        self.address = address
        self.eventLoop = eventLoop
        self.connections = NIOLoopBoundBox.makeBoxSendingValue(
            DoorConnections(connections, on: eventLoop) {
                HTTP2Connection.connect(
                    host: address.host, port: address.port, on: eventLoop, limits: limits, tls: tls, logger: logger)
            }, eventLoop: eventLoop)
    }

    /// Rule: the windows of as many streams as the admin listener has connections are within the connection's own. Why: an
    /// answer that nobody reads keeps its window full, and would hold up everybody else's. The other side hears of a
    /// reader's progress each time that it has taken half a window: a small one tells who reads slowly from who does not.
    private static func limits(_ bounds: ConnectionBounds) -> HTTP2Limits {
        let window = UInt32(clamping: bounds.share(of: NodeLimits.doorWindowsByteCountMax))
        var limits = HTTP2Limits()
        limits.session.streamWindowByteCount = window
        limits.session.connectionWindowByteCount = window * UInt32(clamping: bounds.connectionsMax)
        return limits
    }

    func pass(_ head: HTTPRequest, body: [ByteBuffer]) async throws(AdminProblem) -> DoorAnswer {
        var head = head
        head.authority = self.address.description
        var isRetried = false
        while true {
            do throws(DoorFailure) {
                return try await self.attempt(head, body: body, isRepeated: isRetried)
            } catch {
                let isChange = head.method != .get && head.method != .head
                // Its connection had just ended: nothing was read of the request, or it may be read twice.
                if error == .unsent || error == .lost && !isChange, !isRetried {
                    isRetried = true
                    continue
                }
                throw error.problem(isChange: isChange)
            }
        }
    }

    private func attempt(
        _ head: HTTPRequest, body: [ByteBuffer], isRepeated: Bool
    ) async throws(DoorFailure) -> DoorAnswer {
        let promise = self.eventLoop.makePromise(of: DoorAnswer.self)
        let connections = self.connections
        self.eventLoop.execute {
            let need = DoorConnections.Need(isReader: head.method == .get, isRepeated: isRepeated)
            connections.value.take(need) { connection in
                guard let connection else { return promise.fail(DoorFailure.noStream) }
                Self.begin(head, body: body, over: connection, answer: promise) {
                    connections.value.ended(need, connection)
                }
            }
        }
        do { return try await promise.futureResult.get() } catch { throw error as? DoorFailure ?? .lost }
    }

    /// - Parameter ended: Called on the event loop once the request is over, however it ends.
    private static func begin(
        _ head: HTTPRequest, body: [ByteBuffer], over connection: DoorConnections.Connection,
        answer: EventLoopPromise<DoorAnswer>, ended: @escaping () -> Void
    ) {
        connection.connected.assumeIsolated().whenComplete { result in
            guard case .success(let made) = result else {
                ended()
                return answer.fail(DoorFailure.unsent)
            }
            DoorExchange.begin(head, body: body, on: made, answer: answer, ended: ended)
        }
    }

    /// Requests that wait for a stream.
    var waitingCount: Int {
        get async throws {
            let connections = self.connections
            return try await self.eventLoop.submit { connections.value.waitingCount }.get()
        }
    }

    /// To be called once nobody passes requests any more.
    func shutdown() async {
        let connections = self.connections
        let closing = try? await self.eventLoop.submit { connections.value.close() }.get()
        for connection in closing ?? [] { try? await connection.closeFuture.get() }
    }
}

/// What became of a request that got no answer.
enum DoorFailure: Error, Hashable {
    /// The client listener has not read it.
    case unsent
    /// It was not sent: others have all the streams there are.
    case noStream
    /// It may have been acted on.
    case lost

    func problem(isChange: Bool) -> AdminProblem {
        switch self {
        case .unsent:
            AdminProblem(
                .serviceUnavailable, "SHUTTING_DOWN", "the node's client listener takes no requests",
                hint: "It is stopping, or has just begun; ask another node.")
        case .noStream:
            AdminProblem(
                .serviceUnavailable, "BUSY",
                "requests of the admin listener have all streams to the client listener that they may have, or wait for one: "
                    + "none came free within \(NodeLimits.doorWaitMilliseconds) ms",
                hint:
                    "Nothing was done. Wait a moment and try again, or use the client listener, where readers that follow "
                    + "belong; client.connections.per.address.max says how many streams there are here.",
                fields: [.retryAfter: "1"])
        case .lost:
            AdminProblem(
                .gatewayTimeout, isChange ? "COMMIT_TIMEOUT" : "LEADER_SILENT", "the answer was lost on its way",
                hint: isChange
                    ? "Try again with the same Idempotency-Key, or the same Holdfast-Producer and Holdfast-Sequence: "
                        + "that never doubles." : "Try again.", applied: isChange ? .unknown : .no)
        }
    }
}
