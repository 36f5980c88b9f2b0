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
    private let waitMilliseconds: Int64
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
        self.waitMilliseconds = connections.waitMilliseconds
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
        // One for both attempts: a request is told in time that there is no stream for it.
        let deadline = NIODeadline.now() + .milliseconds(self.waitMilliseconds)
        var isRetried = false
        while true {
            do throws(DoorFailure) {
                return try await self.attempt(head, body: body, until: deadline, isRepeated: isRetried)
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
        _ head: HTTPRequest, body: [ByteBuffer], until deadline: NIODeadline, isRepeated: Bool
    ) async throws(DoorFailure) -> DoorAnswer {
        let (eventLoop, connections) = (self.eventLoop, self.connections)
        let promise = eventLoop.makePromise(of: DoorAnswer.self)
        let call = NIOLoopBoundBox<DoorCall?>.makeEmptyBox(valueType: DoorCall.self, eventLoop: eventLoop)
        // It has begun when it is given up: the loop does one after the other.
        eventLoop.execute {
            let need = DoorConnections.Need(isReader: head.method == .get, isRepeated: isRepeated)
            let begun = DoorCall(head, body: body, need, over: connections.value, answer: promise)
            call.value = begun
            begun.begin(until: deadline)
        }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                eventLoop.execute { call.value?.giveUp() }
            }
        } catch {
            throw error as? DoorFailure ?? .lost
        }
    }

    /// Streams that requests have, and requests that wait for one.
    var load: DoorConnections.Load {
        get async throws {
            let connections = self.connections
            return try await self.eventLoop.submit { connections.value.load }.get()
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
    /// Nobody waits for the answer any more. It may have been acted on, if it was sent.
    case givenUp

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
        case .givenUp: .unheard("its client has gone", applied: isChange ? .unknown : .no)
        }
    }
}
