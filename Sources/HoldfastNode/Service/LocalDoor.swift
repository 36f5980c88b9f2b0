import HTTP2Transport
import HTTPTypes
import HoldfastAdmin
import HoldfastClient
import Logging
import NIOCore

/// Takes requests of the admin listener to this node's own client listener, over one connection that is made when it is
/// needed: so they are read, forwarded and answered as all others are.
final class LocalDoor: ClientDoor {
    private let address: ServerAddress
    private let eventLoop: any EventLoop
    private let tls: TLSCalling?
    private let logger: Logger
    private let connection: NIOLoopBoundBox<HTTP2Connection?>

    /// - Parameter address: Where the client listener is; everywhere is here, too.
    init(_ address: ServerAddress, tls: TLSCalling?, on eventLoop: any EventLoop, logger: Logger) {
        let here = ["0.0.0.0": "127.0.0.1", "::": "::1"]
        self.address = ServerAddress(host: here[address.host] ?? address.host, port: address.port)
        self.eventLoop = eventLoop
        self.tls = tls
        self.logger = logger
        self.connection = NIOLoopBoundBox.makeEmptyBox(eventLoop: eventLoop)
    }

    /// Rule: the windows of as many streams as the admin listener has connections are within the connection's own. Why: an
    /// answer that nobody reads keeps its window full, and would hold up everybody else's. The other side hears of a
    /// reader's progress each time that it has taken half a window: a small one tells who reads slowly from who does not.
    private static let limits: HTTP2Limits = {
        var limits = HTTP2Limits()
        limits.session.streamWindowByteCount = NodeLimits.doorWindowByteCount
        limits.session.connectionWindowByteCount =
            NodeLimits.doorWindowByteCount * UInt32(ConnectionBounds().connectionsMax)
        return limits
    }()

    func pass(_ head: HTTPRequest, body: ByteBuffer) async throws(AdminProblem) -> DoorAnswer {
        var head = head
        head.authority = self.address.description
        var isRetried = false
        while true {
            do throws(DoorFailure) { return try await self.attempt(head, body: body) } catch {
                // Its connection had just ended: nothing was read of the request.
                if error == .unsent, !isRetried {
                    isRetried = true
                    continue
                }
                throw error.problem(isChange: head.method != .get && head.method != .head)
            }
        }
    }

    private func attempt(_ head: HTTPRequest, body: ByteBuffer) async throws(DoorFailure) -> DoorAnswer {
        let connection: HTTP2Connection
        do { connection = try await self.eventLoop.flatSubmit { self.connected() }.get() } catch { throw .unsent }
        let promise = self.eventLoop.makePromise(of: DoorAnswer.self)
        self.eventLoop.execute { DoorExchange.begin(head, body: body, on: connection, answer: promise) }
        do { return try await promise.futureResult.get() } catch { throw error as? DoorFailure ?? .lost }
    }

    private func connected() -> EventLoopFuture<HTTP2Connection> {
        if let connection = self.connection.value, connection.isUsable {
            return self.eventLoop.makeSucceededFuture(connection)
        }
        let box = self.connection
        return HTTP2Connection.connect(
            host: self.address.host, port: self.address.port, on: self.eventLoop, limits: Self.limits, tls: self.tls,
            logger: self.logger
        ).map { connection in
            // Whoever asked at the same time has made one, too: that one ends when it is idle.
            box.value = connection
            return connection
        }
    }

    /// To be called once nobody passes requests any more.
    func shutdown() async {
        let connection = try? await self.eventLoop.submit { self.connection.value }.get()
        connection?.close()
        try? await connection?.closeFuture.get()
    }
}

/// What became of a request that got no answer.
enum DoorFailure: Error, Hashable {
    /// The client listener has not read it.
    case unsent
    /// It may have been acted on.
    case lost

    func problem(isChange: Bool) -> AdminProblem {
        switch self {
        case .unsent:
            AdminProblem(
                .serviceUnavailable, "SHUTTING_DOWN", "the node's client listener takes no requests",
                hint: "It is stopping, or has just begun; ask another node.")
        case .lost:
            AdminProblem(
                .gatewayTimeout, isChange ? "COMMIT_TIMEOUT" : "LEADER_SILENT", "the answer was lost on its way",
                hint: isChange
                    ? "Try again with the same Idempotency-Key, or the same Holdfast-Producer and Holdfast-Sequence: "
                        + "that never doubles." : "Try again.", applied: isChange ? .unknown : .no)
        }
    }
}
