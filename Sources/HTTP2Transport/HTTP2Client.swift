import HTTPTypes
import Logging
import NIOCore

/// A whole answer.
package typealias HTTP2Answer = (head: HTTPResponse, body: ByteBuffer)

/// Sends requests and collects their answers, over one connection per address.
///
/// Connections are made when needed and again when lost; after a failed attempt, requests to that address fail at once
/// for a moment that doubles up to ``HTTP2Limits/backoffMillisecondsMax``. A request that the peer certainly did not
/// process because its connection was going away is sent once more.
package final class HTTP2Client: Sendable {
    package let eventLoop: any EventLoop
    private let pool: NIOLoopBoundBox<ConnectionPool>

    /// - Parameter tls: `nil` for plain text.
    package init(
        on eventLoop: any EventLoop, limits: HTTP2Limits = HTTP2Limits(), tls: TLSCalling? = nil, logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.pool = .makeBoxSendingValue(
            ConnectionPool(eventLoop: eventLoop, limits: limits, tls: tls, logger: logger), eventLoop: eventLoop)
    }

    /// Sends `request` and returns the answer, whatever its status.
    ///
    /// - Parameters:
    ///   - request: `:authority` and `:scheme` are filled in when missing.
    ///   - timeout: For everything, connecting included.
    ///   - bodyByteCountMax: Bound of the answer's body.
    /// - Throws: ``HTTP2ClientError``; its `isCertainlyUnprocessed` says whether the peer can have acted on the request.
    package func execute(
        _ request: HTTPRequest, body: ByteBuffer? = nil, to address: HTTP2Address, timeout: TimeAmount,
        bodyByteCountMax: Int
    ) async throws(HTTP2ClientError) -> HTTP2Answer {
        let cancellation = NIOLoopBoundBox.makeBoxSendingValue(Cancellation(), eventLoop: self.eventLoop)
        let eventLoop = self.eventLoop
        let result: Result<HTTP2Answer, HTTP2ClientError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.start(request, body, address, timeout, bodyByteCountMax, cancellation) {
                    continuation.resume(returning: $0)
                }
            }
        } onCancel: {
            eventLoop.execute { cancellation.value.cancel() }
        }
        return try result.get()
    }

    /// The same without a task: from any thread; `reply` is called exactly once, on ``eventLoop``.
    package func execute(
        _ request: HTTPRequest, body: ByteBuffer? = nil, to address: HTTP2Address, timeout: TimeAmount,
        bodyByteCountMax: Int, reply: @escaping @Sendable (Result<HTTP2Answer, HTTP2ClientError>) -> Void
    ) {
        self.start(request, body, address, timeout, bodyByteCountMax, nil, reply)
    }

    private func start(
        _ request: HTTPRequest, _ body: ByteBuffer?, _ address: HTTP2Address, _ timeout: TimeAmount,
        _ bodyByteCountMax: Int, _ cancellation: NIOLoopBoundBox<Cancellation>?,
        _ reply: @escaping ClientExchange.Reply
    ) {
        let (pool, eventLoop) = (self.pool, self.eventLoop)
        @Sendable func begin() {
            let pool = pool.value
            let exchange = ClientExchange(
                request, body: body, to: address, bodyByteCountMax: bodyByteCountMax,
                probeMilliseconds: pool.limits.probeMilliseconds, retry: { pool.submit($0) }, reply: reply)
            if let cancellation { cancellation.value.begin(exchange) }
            exchange.limit(to: timeout, on: eventLoop)
            pool.submit(exchange)
        }
        if eventLoop.inEventLoop { begin() } else { eventLoop.execute { begin() } }
    }

    /// Takes no more requests, lets those under way end for at most `grace`, and closes all connections.
    package func shutdown(grace: TimeAmount = .seconds(1)) async {
        let (pool, eventLoop) = (self.pool, self.eventLoop)
        let connections = try? await eventLoop.submit { pool.value.shutDown() }.get()
        guard let connections, !connections.isEmpty else { return }
        let deadline = eventLoop.scheduleTask(in: grace) { for connection in connections { connection.close() } }
        try? await EventLoopFuture.andAllComplete(connections.map(\.closeFuture), on: eventLoop).get()
        deadline.cancel()
    }

    /// Joins a task's cancellation with its exchange, whichever is there first.
    private final class Cancellation {
        private var isCancelled = false
        private var exchange: ClientExchange?

        func begin(_ exchange: ClientExchange) {
            self.exchange = exchange
            if self.isCancelled { exchange.cancel() }
        }

        func cancel() {
            self.isCancelled = true
            self.exchange?.cancel()
        }
    }
}
