import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The servers that are known, a connection to each, and which of them is thought to lead.
final class ServerPool: Sendable {
    private struct State {
        var servers: [ServerAddress]
        var leader: ServerAddress?
        /// Did not answer as a leader the last time: asked about others before it is believed again.
        var suspect: ServerAddress?
        /// What those said that named no leader when all were asked last: with a failure, or as followers of nobody.
        var leaderless: [ServerAddress: ClientError?] = [:]
        var tails: [ObjectIdentifier: NIOLoopBound<TailStream>] = [:]
        var isShutDown = false
    }

    private let state: Mutex<State>
    let access: ClientAccess
    private let client: HTTP2Client
    private let metrics: ClientMetrics

    init(servers: [ServerAddress], access: ClientAccess, logger: Logger, metrics: ClientMetrics) {
        self.access = access
        self.metrics = metrics
        self.state = Mutex(State(servers: servers))
        var limits = HTTP2Limits()
        limits.backoffMillisecondsMax = ClientLimits.backoffMilliseconds.upperBound
        self.client = HTTP2Client(
            on: MultiThreadedEventLoopGroup.singleton.next(), limits: limits, tls: access.tls, logger: logger)
    }

    var servers: [ServerAddress] { self.state.withLock { $0.servers } }

    func execute(
        _ method: HTTPRequest.Method, _ path: String, fields: HTTPFields = [:], body: [UInt8]? = nil,
        at server: ServerAddress, timeoutMilliseconds: UInt64
    ) async throws(HTTP2ClientError) -> HTTP2Answer {
        let request = HTTPRequest(
            method: method, scheme: nil, authority: server.description, path: path,
            headerFields: self.access.signed(TraceFields.carried(by: fields)))
        let start = ContinuousClock.now
        var isAnswered = false
        defer { self.metrics.asked(since: start, isAnswered: isAnswered) }
        let answer = try await self.client.execute(
            request, body: body.map { ByteBuffer(bytes: $0) },
            to: HTTP2Address(host: server.host, port: server.port),
            timeout: .milliseconds(Int64(timeoutMilliseconds)), bodyByteCountMax: ClientLimits.answerByteCountMax)
        isAnswered = true
        return answer
    }

    // MARK: Who leads

    /// The leader as last heard of, or as a server says now.
    func leader() async -> ServerAddress? {
        if let known = self.state.withLock({ $0.leader }) { return known }
        let suspect = self.state.withLock { $0.suspect }
        let found = await self.discover(avoiding: suspect)
        if let found { self.state.withLock { $0.leader = found } }
        return found
    }

    func heardOfLeader(_ leader: ServerAddress) {
        self.state.withLock { $0.leader = leader }
    }

    /// The leader answered as one.
    func confirmed(_ leader: ServerAddress) {
        self.state.withLock { state in
            state.leader = leader
            state.suspect = nil
        }
    }

    /// `server` did not answer as a leader does.
    func doubted(_ server: ServerAddress) {
        self.state.withLock { state in
            if state.leader == server { state.leader = nil }
            state.suspect = server
        }
    }

    /// Asks all servers at once and takes the first answer that names another leader than `suspect`;
    /// `suspect` itself only when everybody still says so.
    private func discover(avoiding suspect: ServerAddress?) async -> ServerAddress? {
        await withTaskGroup(of: (ServerAddress, Result<ClusterStatus, ClientError>).self) { group in
            for server in self.servers { group.addTask { (server, await self.answer(of: server)) } }
            var fallback: ServerAddress?
            var leaderless: [ServerAddress: ClientError?] = [:]
            for await (server, answer) in group {
                switch answer {
                case .failure(let error): leaderless[server] = .some(error)
                case .success(let status):
                    self.learn(status)
                    guard let leader = status.leaderAddress else {
                        leaderless[server] = .some(nil)
                        continue
                    }
                    guard leader == suspect else {
                        group.cancelAll()
                        return leader
                    }
                    fallback = leader
                }
            }
            self.state.withLock { $0.leaderless = leaderless }
            return fallback
        }
    }

    /// Why ``leader()`` has just found none, as each server said; what is not worth asking again when no server is.
    var absence: ClientError {
        let (servers, leaderless) = self.state.withLock { ($0.servers, $0.leaderless) }
        let failures = servers.compactMap { leaderless[$0] ?? nil }
        if failures.count == servers.count, let first = failures.first, failures.allSatisfy(\.isDenial) { return first }
        // Those that say the same are named together, in their order.
        var reasons: [(words: String, servers: [ServerAddress])] = []
        for server in servers {
            guard let failure = leaderless[server] else { continue }
            let words = failure.map { $0.reason(of: server) } ?? "knows no leader"
            if let place = reasons.firstIndex(where: { $0.words == words }) {
                reasons[place].servers.append(server)
            } else {
                reasons.append((words, [server]))
            }
        }
        let all = reasons.map { "\($0.servers.map(\.description).joined(separator: ", ")): \($0.words)" }
        return .unreachable(all.isEmpty ? "no leader is known" : all.joined(separator: "; "))
    }

    /// Why no server at all lets this client in, is trusted by it, or has a client port; `nil` while one of them may.
    func denial() async -> ClientError? {
        var failure: ClientError?
        for server in self.servers {
            do throws(ClientError) {
                _ = try await self.status(of: server)
                return nil
            } catch {
                guard error.isDenial else { return nil }
                failure = error
            }
        }
        return failure
    }

    func status(
        of server: ServerAddress, timeoutMilliseconds: UInt64 = ClientLimits.discoveryTimeoutMilliseconds
    ) async throws(ClientError) -> ClusterStatus {
        let answer: HTTP2Answer
        do throws(HTTP2ClientError) {
            answer = try await self.execute(
                .get, "/v1/cluster", at: server, timeoutMilliseconds: timeoutMilliseconds)
        } catch {
            throw ClientError(error, at: server)
        }
        guard answer.head.status == .ok else { throw .answered(answer.head, answer.body, at: server) }
        guard let status = JSONDocument.decode(ClusterStatus.self, from: answer.body.readableBytesView) else {
            throw .badAnswer("\(server): /v1/cluster")
        }
        return status
    }

    /// Remembers the nodes that a cluster names: the ones that were given may stop.
    private func learn(_ status: ClusterStatus) {
        let found = status.nodes.compactMap { ServerAddress($0.client) }
        self.state.withLock { state in
            for server in found where !state.servers.contains(server) {
                guard state.servers.count < ClientLimits.serversMax else { return }
                state.servers.append(server)
            }
        }
    }

    /// By itself: in a task's own closure an optimized build takes a pair with what was thrown apart wrongly (Swift 6.3).
    private func answer(of server: ServerAddress) async -> Result<ClusterStatus, ClientError> {
        do throws(ClientError) { return .success(try await self.status(of: server)) } catch { return .failure(error) }
    }

    // MARK: Who is how far

    /// Any server at first, then one after the other.
    func server(after server: ServerAddress?) -> ServerAddress? {
        let all = self.servers
        guard let server, let place = all.firstIndex(of: server) else { return all.randomElement() }
        return all[(place + 1) % all.count]
    }

    /// What each server knows to be committed; those that do not answer are missing.
    func lastIndexes() async -> [ServerAddress: LogIndex] {
        await withTaskGroup(of: (ServerAddress, ClusterStatus)?.self) { group in
            for server in self.servers {
                group.addTask { (try? await self.status(of: server)).map { (server, $0) } }
            }
            return await group.reduce(into: [:]) { all, answer in
                guard let (server, status) = answer else { return }
                self.learn(status)
                all[server] = LogIndex(status.lastIndex)
            }
        }
    }

    // MARK: The end

    var isShutDown: Bool { self.state.withLock { $0.isShutDown } }

    /// A tail's stream ends with the client, although its connection is its own.
    func opened(_ stream: NIOLoopBound<TailStream>, of reader: TailReader) {
        let isLate = self.state.withLock { state in
            state.tails[ObjectIdentifier(reader)] = stream
            return state.isShutDown
        }
        if isLate { stream.close() }
    }

    func closed(_ reader: ObjectIdentifier) {
        self.state.withLock { $0.tails.removeValue(forKey: reader) }?.close()
    }

    func shutdown() async {
        let tails = self.state.withLock { state in
            state.isShutDown = true
            return Array(state.tails.values)
        }
        for tail in tails { tail.close() }
        await self.client.shutdown()
    }
}

extension ClientError {
    /// What an error answer says.
    static func answered(
        _ head: HTTPResponse, _ body: ByteBuffer, at server: ServerAddress? = nil
    ) -> ClientError {
        if head.headerFields[.holdfastProtocol] != nil {
            return .noClientPort("\(server.map { "\($0)" } ?? "the server") is a node's peer port")
        }
        guard let problem = ProblemDocument(json: body.readableBytesView) else {
            return .badAnswer("status \(head.status.code) without a problem document")
        }
        return ClientError(problem)
    }

    /// Without the server's name, where it stands before it.
    fileprivate func reason(of server: ServerAddress) -> String {
        switch self {
        case .unreachable(let reason), .untrusted(let reason), .noClientPort(let reason):
            let name = ["\(server): ", "\(server) "].first { reason.hasPrefix($0) } ?? ""
            return String(reason.dropFirst(name.count))
        default: return self.description
        }
    }
}
