import HTTP2Transport
import LogModel
import Logging
import NIOCore
import NIOPosix

/// Many appends in a row over one stream, without waiting for each acknowledgement: for throughput.
///
/// ```swift
/// let session = try await client.openSession()
/// let pending = await session.send([Record("one"), Record("two")])
/// let receipt = try await pending.receipt
/// try await session.finish()
/// ```
///
/// Rule: a session is one producer, and nothing in it is tried again. Why: the log keeps sixteen results of a producer, and a
/// session has more on their way; whoever must know each fate uses a ``Producer``. The first batch that fails ends the
/// session: ``ClientError/refused(_:)`` says that neither it nor any behind it is in the log,
/// ``ClientError/outcomeUnknown(_:)`` that each of them may be, in order.
public final class AppendSession: Sendable {
    private let stream: NIOLoopBound<SessionStream>
    private let metrics: ClientMetrics
    private let eventLoop: any EventLoop
    /// The number under which the log knows this session.
    public let producer: UInt64

    init(_ stream: NIOLoopBound<SessionStream>, producer: UInt64, metrics: ClientMetrics) {
        self.stream = stream
        self.metrics = metrics
        self.eventLoop = stream.eventLoop
        self.producer = producer
    }

    /// Given up without ``finish()``: what is on its way has an unknown outcome.
    deinit {
        let stream = self.stream
        self.eventLoop.execute { stream.value.abandon() }
    }

    /// Sends one atomic batch, behind all that were sent before.
    ///
    /// - Parameter records: 1 ... 4,096 records, together below 8 MiB.
    /// - Returns: As soon as it is on its way, or the session has ended; while too many are, that is when the oldest is
    ///   acknowledged.
    public func send(_ records: [Record]) async -> PendingReceipt {
        let promise = self.eventLoop.makePromise(of: Result<AppendReceipt, ClientError>.self)
        let batch = SessionBatch.encode(records)
        let (stream, metrics, since) = (self.stream, self.metrics, ContinuousClock.now)
        await withCheckedContinuation { continuation in
            self.eventLoop.execute {
                stream.value.submit(batch, sent: { continuation.resume() }) { result in
                    if case .success(let receipt) = result { metrics.appended(receipt, since: since) }
                    promise.succeed(result)
                }
            }
        }
        return PendingReceipt(result: promise.futureResult)
    }

    /// Waits for all that was sent, and ends the session.
    ///
    /// - Throws: Why it had ended before.
    public func finish() async throws(ClientError) {
        let stream = self.stream
        let result = await withCheckedContinuation { continuation in
            self.eventLoop.execute { stream.value.finish { continuation.resume(returning: $0) } }
        }
        try result.get()
    }
}

/// An append that is on its way.
public struct PendingReceipt: Sendable {
    let result: EventLoopFuture<Result<AppendReceipt, ClientError>>

    /// - Throws: As ``AppendSession`` or ``Appender`` says, whichever it was given to.
    public var receipt: AppendReceipt {
        get async throws(ClientError) { try await self.fate.get() }
    }

    var fate: Result<AppendReceipt, ClientError> {
        get async {
            do { return try await self.result.get() } catch { return .failure(.outcomeUnknown("\(error)")) }
        }
    }
}

extension HoldfastClient {
    /// Opens a session at the leader; tries until the client's time is up. It belongs to the trace of the span, if any, in
    /// which it is opened.
    ///
    /// - Parameters:
    ///   - inFlightMax: Batches on their way at once, 1 ... 1,024.
    ///   - fencingToken: Refused when the log has seen a higher one; a higher one keeps all lower ones out.
    /// - Throws: ``ClientError/unreachable(_:)``, ``ClientError/refused(_:)``; nothing was sent.
    public func openSession(
        inFlightMax: Int = 256, fencingToken: UInt64? = nil
    ) async throws(ClientError) -> AppendSession {
        precondition(
            (1...ClientLimits.sessionInFlightMax).contains(inFlightMax), "\(inFlightMax) batches on their way at once")
        let producer = UInt64.random(in: 1 ... .max)
        let deadline = ContinuousClock.now + .milliseconds(self.timeoutMilliseconds)
        var backoff = Backoff()
        while true {
            let failure: ClientError
            if let server = await self.pool.leader() {
                do {
                    let stream = try await SessionStream.open(
                        at: server, access: self.pool.access, producer: producer, inFlightMax: inFlightMax,
                        fencingToken: fencingToken)
                    return AppendSession(stream, producer: producer, metrics: self.metrics)
                } catch {
                    self.pool.doubted(server)
                    failure = ClientError(connecting: error, to: server)
                }
                if failure.isWorthRetrying, let denial = await self.pool.denial() { throw denial }
            } else {
                failure = self.pool.absence
            }
            guard failure.isWorthRetrying, ContinuousClock.now < deadline, !Task.isCancelled else { throw failure }
            await self.pause(&backoff)
        }
    }
}

extension SessionStream {
    /// Opens one over a connection of its own.
    ///
    /// - Parameter eventLoop: Where it runs; `nil` takes the next of all there are.
    static func open(
        at server: ServerAddress, access: ClientAccess, producer: UInt64, inFlightMax: Int,
        fencingToken: UInt64? = nil, on eventLoop: (any EventLoop)? = nil
    ) async throws -> NIOLoopBound<SessionStream> {
        let eventLoop = eventLoop ?? MultiThreadedEventLoopGroup.singleton.next()
        let logger = Logger(label: "holdfast.session") { _ in SwiftLogNoOpLogHandler() }
        let opened = eventLoop.makePromise(of: Void.self)
        // Here, and not on the event loop, is the span that the caller is in.
        let trace = TraceFields.carried(by: [:])
        return try await HTTP2Connection.connect(
            host: server.host, port: server.port, on: eventLoop, tls: access.tls, logger: logger
        ).flatMapErrorThrowing { error in
            opened.fail(error)
            throw error
        }.flatMap { connection in
            let stream = SessionStream(producer: producer, inFlightMax: inFlightMax, opened: opened)
            stream.open(on: connection, at: server, access: access, fencingToken: fencingToken, trace: trace)
            let bound = NIOLoopBound(stream, eventLoop: eventLoop)
            return opened.futureResult.map { bound }
        }.get()
    }
}
