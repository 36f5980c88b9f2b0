import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import Metrics
import NIOCore

/// A client of a cluster: finds the leader through any of its nodes, and retries without ever doubling.
///
/// ```swift
/// let client = HoldfastClient(servers: [ServerAddress("127.0.0.1:7400")!])
/// let producer = client.makeProducer()
/// let receipt = try await producer.append([Record("hello")])
/// let page = try await client.read(from: .index(receipt.first))
/// ```
public final class HoldfastClient: Sendable {
    /// Where a read begins.
    public enum Start: Hashable, Sendable {
        case first
        /// After everything that is committed now.
        case tail
        case index(LogIndex)
        /// The last so many records.
        case last(Int)

        var text: String {
            switch self {
            case .first: "first"
            case .tail: "tail"
            case .index(let index): "\(index)"
            case .last(let count): "-\(count)"
            }
        }
    }

    public enum Consistency: String, Sendable {
        /// Sees everything that was acknowledged before the read began.
        case linearizable
        /// Whatever the asked node knows to be committed.
        case committed
    }

    let pool: ServerPool
    let logger: Logger
    let metrics: ClientMetrics
    /// How long one operation goes on trying.
    public let timeoutMilliseconds: UInt64
    /// How long one attempt of it waits for its answer.
    let attemptTimeoutMilliseconds: UInt64

    /// Connects to nothing yet.
    ///
    /// - Parameters:
    ///   - servers: Client listeners of one cluster, in any order; one that runs is enough.
    ///   - access: By TLS, and with a token; by default neither.
    ///   - timeoutMilliseconds: How long one operation goes on trying.
    ///   - logger: Says what becomes of connections, at `debug` for the most part; by default nobody hears it.
    ///   - metrics: Where counters and timers go; by default where the program's others do. <doc:Services> names them.
    public convenience init(
        servers: [ServerAddress], access: ClientAccess = ClientAccess(), timeoutMilliseconds: UInt64 = 15_000,
        logger: Logger = Logger(label: "holdfast.client") { _ in SwiftLogNoOpLogHandler() },
        metrics: (any MetricsFactory)? = nil
    ) {
        self.init(
            servers: servers, access: access, timeoutMilliseconds: timeoutMilliseconds,
            attemptTimeoutMilliseconds: ClientLimits.attemptTimeoutMilliseconds, logger: logger, metrics: metrics)
    }

    /// - Parameter attemptTimeoutMilliseconds: Long where a test counts attempts, and its machine may be busy.
    init(
        servers: [ServerAddress], access: ClientAccess = ClientAccess(), timeoutMilliseconds: UInt64 = 15_000,
        attemptTimeoutMilliseconds: UInt64,
        logger: Logger = Logger(label: "holdfast.client") { _ in SwiftLogNoOpLogHandler() },
        metrics: (any MetricsFactory)? = nil
    ) {
        precondition(!servers.isEmpty, "a client needs at least one server")
        self.metrics = ClientMetrics(factory: metrics ?? MetricsSystem.factory)
        self.pool = ServerPool(servers: servers, access: access, logger: logger, metrics: self.metrics)
        self.logger = logger
        self.timeoutMilliseconds = timeoutMilliseconds
        self.attemptTimeoutMilliseconds = attemptTimeoutMilliseconds
    }

    /// A producer of its own: its appends keep their order, and a retry is never stored twice.
    public func makeProducer() -> Producer { Producer(client: self) }

    /// The servers that were given or found.
    public var servers: [ServerAddress] { self.pool.servers }

    /// Closes all connections; what is under way fails, and tails end with ``ClientError/ended(_:)``.
    public func shutdown() async { await self.pool.shutdown() }

    // MARK: Reading

    /// Reads one page.
    ///
    /// - Parameters:
    ///   - limit: At most so many records; a server may return fewer.
    ///   - waitMilliseconds: How long to wait for the first record when there is none yet; up to 60,000.
    ///   - minIndex: Reads nothing before the asked node has committed this index: with that of a receipt, any node
    ///     answers with what the caller has appended itself.
    ///   - server: Asks this server only; by default the leader, or any that answers.
    /// - Throws: ``ClientError/trimmed(first:)`` when `start` is not kept any more; ``ClientError/refused(_:)``
    ///   with `BEHIND` when no node that was asked came to `minIndex` in time; ``ClientError/unreachable(_:)``.
    public func read(
        from start: Start, limit: Int = 100, waitMilliseconds: UInt64 = 0,
        minIndex: LogIndex? = nil, consistency: Consistency = .linearizable, at server: ServerAddress? = nil
    ) async throws(ClientError) -> RecordPage {
        var path = "/v1/records?from=\(start.text)&limit=\(limit)&consistency=\(consistency.rawValue)"
        if let minIndex { path += "&min_index=\(minIndex)" }
        if waitMilliseconds > 0 { path += "&wait=\(waitMilliseconds)ms" }
        let catchingUp = minIndex == nil ? 0 : max(waitMilliseconds, ClientLimits.minIndexMilliseconds)
        let body = try await self.ask(
            .get, path, [.accept: RecordFrame.contentType], waitMilliseconds: waitMilliseconds + catchingUp, at: server)
        guard let page = RecordPage(frames: body) else { throw .badAnswer("a page of records") }
        self.metrics.read(page.records.count)
        return page
    }

    /// Why no server lets this client in, by TLS, for want of a token, or for none is a client port; `nil` while one of them may.
    package func denial() async -> ClientError? { await self.pool.denial() }

    /// What a node knows of the cluster: of `server`, or of the first that answers.
    public func status(of server: ServerAddress? = nil) async throws(ClientError) -> ClusterStatus {
        if let server {
            return try await self.pool.status(of: server, timeoutMilliseconds: self.attemptTimeoutMilliseconds)
        }
        var failure = ClientError.unreachable("no server was given")
        for server in self.pool.servers {
            do throws(ClientError) {
                return try await self.pool.status(
                    of: server, timeoutMilliseconds: self.attemptTimeoutMilliseconds)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// Has the leader hand over to another node, without refusing an append.
    ///
    /// - Parameter node: Its number; by default whoever is furthest.
    /// - Returns: The number of the node that leads now.
    /// - Throws: ``ClientError/refused(_:)`` with `TRANSFER_FAILED` when nobody took over: the leader leads on.
    public func transferLeadership(to node: UInt32? = nil) async throws(ClientError) -> UInt32 {
        struct Answer: Decodable { var leader: UInt32 }
        let path = "/admin/v1/transfer" + (node.map { "?to=\($0)" } ?? "")
        let (answer, server) = try await self.administer(.post, path, as: Answer.self)
        self.pool.doubted(server)
        return answer.leader
    }

    /// Asks the leader once.
    func administer<Answer: Decodable>(
        _ method: HTTPRequest.Method, _ path: String, as _: Answer.Type
    ) async throws(ClientError) -> (answer: Answer, server: ServerAddress) {
        guard let server = await self.pool.leader() else {
            throw self.pool.absence
        }
        let answer: HTTP2Answer
        do throws(HTTP2ClientError) {
            answer = try await self.pool.execute(
                method, path, at: server, timeoutMilliseconds: self.attemptTimeoutMilliseconds)
        } catch {
            self.pool.doubted(server)
            throw error.isCertainlyUnprocessed
                ? ClientError(error, at: server) : .outcomeUnknown("\(server): \(error)")
        }
        guard answer.head.status == .ok else { throw .answered(answer.head, answer.body, at: server) }
        guard let document = JSONDocument.decode(Answer.self, from: answer.body.readableBytesView) else {
            throw .badAnswer("\(server): \(path)")
        }
        return (document, server)
    }

    /// Has the beginning of the log removed on every node: whole sealed segments that hold only records before `index`.
    ///
    /// The newest sealed segment stays in any case. Tries until an answer is certain or the time is up: what was done
    /// already is not done twice.
    ///
    /// - Returns: Where the log begins then.
    /// - Throws: ``ClientError/refused(_:)``, whose document says whether it may be applied;
    ///   ``ClientError/unreachable(_:)``: it may be applied all the same.
    public func trim(before index: LogIndex) async throws(ClientError) -> TrimReceipt {
        let body = try await self.ask(.post, "/v1/trim?before=\(index)", waitMilliseconds: 0, at: nil)
        guard let receipt = TrimReceipt(json: body.readableBytesView) else { throw .badAnswer("/v1/trim") }
        return receipt
    }

    /// Asks, and asks again where that may help: for what may be done twice.
    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ fields: HTTPFields = [:], waitMilliseconds: UInt64,
        at server: ServerAddress?
    ) async throws(ClientError) -> ByteBuffer {
        let deadline = ContinuousClock.now + .milliseconds(self.timeoutMilliseconds + waitMilliseconds)
        var backoff = Backoff()
        // What a node that could be reached said, says more than that another one could not.
        var refusal: ClientError?
        while true {
            var known = server
            if known == nil { known = await self.pool.leader() }
            guard let asked = known ?? self.pool.servers.randomElement() else {
                throw .unreachable("no server is known")
            }
            // Why there is no leader, as all servers say: one of them is asked at random then.
            let absence = known == nil ? self.pool.absence : nil
            let failure: ClientError
            do throws(HTTP2ClientError) {
                let (head, body) = try await self.pool.execute(
                    method, path, fields: fields, at: asked,
                    timeoutMilliseconds: self.attemptTimeoutMilliseconds + waitMilliseconds)
                if head.status == .ok { return body }
                failure = .answered(head, body, at: asked)
            } catch {
                failure = ClientError(error, at: asked)
            }
            if case .refused = failure { refusal = failure }
            // Beside a wrong port there are servers that may answer.
            let isWorthRetrying = failure.isWorthRetrying || failure.isOfPort && absence?.isWorthRetrying == true
            guard isWorthRetrying, ContinuousClock.now < deadline, !Task.isCancelled else {
                throw isWorthRetrying ? refusal ?? absence ?? failure : failure
            }
            self.pool.doubted(asked)
            await self.pause(&backoff)
        }
    }

    /// Before another attempt.
    func pause(_ backoff: inout Backoff) async {
        self.metrics.retried()
        try? await Task.sleep(for: backoff.next())
    }
}

extension ClientError {
    fileprivate var isOfPort: Bool { if case .noClientPort = self { true } else { false } }

    /// Whether what failed so may succeed a moment later, perhaps elsewhere.
    var isWorthRetrying: Bool {
        switch self {
        case .unreachable: true
        case .refused(let problem): [421, 429, 503, 504].contains(problem.status)
        case .trimmed, .untrusted, .noClientPort, .outcomeUnknown, .notByAll, .ended, .badAnswer: false
        }
    }
}
