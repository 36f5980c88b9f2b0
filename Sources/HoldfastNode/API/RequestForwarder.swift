import HTTP2Transport
import HTTPTypes
import HoldfastClient
import Logging
import NIOCore

/// Takes a request that only the leader can answer to the leader's client listener.
protocol RequestForwarder: Sendable {
    /// Sends it at most once, as far as this node can know: what may have been applied is not sent again.
    ///
    /// - Parameter reply: Called exactly once, on any thread.
    func forward(
        _ head: HTTPRequest, body: ByteBuffer?, to leader: ServerAddress, timeoutMilliseconds: UInt64,
        reply: @escaping @Sendable (Result<HTTP2Answer, Problem>) -> Void)
}

extension HTTPRequest {
    /// How many nodes have passed it on; what cannot be read counts as the most.
    var forwardedCount: Int {
        guard let value = self.headerFields[.holdfastForwarded] else { return 0 }
        return Int(value).flatMap { $0 >= 0 ? min($0, NodeLimits.forwardedCountMax) : nil }
            ?? NodeLimits.forwardedCountMax
    }
}

/// Forwards over one HTTP/2 connection per node that has led; how many are under way is the client's limit.
final class LeaderForwarder: RequestForwarder {
    private let client: HTTP2Client

    init(eventLoop: any EventLoop, tls: TLSStore? = nil, logger: Logger) {
        var limits = HTTP2Limits()
        limits.backoffMillisecondsMax = 200
        self.client = HTTP2Client(
            on: eventLoop, limits: limits, tls: tls.map { TLSCalling($0, expecting: .node(nil)) }, logger: logger)
    }

    func forward(
        _ head: HTTPRequest, body: ByteBuffer?, to leader: ServerAddress, timeoutMilliseconds: UInt64,
        reply: @escaping @Sendable (Result<HTTP2Answer, Problem>) -> Void
    ) {
        var request = HTTPRequest(
            method: head.method, scheme: nil, authority: leader.description, path: head.path,
            headerFields: head.headerFields)
        request.headerFields[.holdfastForwarded] = "\(head.forwardedCount + 1)"
        let isChange = head.method != .get && head.method != .head
        self.client.execute(
            request, body: body, to: HTTP2Address(host: leader.host, port: leader.port),
            // The leader's own time-out answers first: it knows more.
            timeout: .milliseconds(Int64(timeoutMilliseconds) + 500),
            bodyByteCountMax: NodeLimits.forwardedAnswerByteCountMax
        ) { result in
            reply(result.mapError { Self.problem($0, leader: leader, isChange: isChange) })
        }
    }

    static func problem(_ error: HTTP2ClientError, leader: ServerAddress, isChange: Bool) -> Problem {
        let problem: Problem =
            switch error {
            case .tooManyRequests: .forwardersBusy
            case _ where error.isCertainlyUnprocessed: .leaderUnreachable
            default: .forwardingFailed("\(error)", isChange: isChange)
            }
        return problem.leading(to: leader)
    }

    /// What another node says of itself.
    ///
    /// - Parameter address: That of the listener that knows `path`.
    func status(
        at address: ServerAddress, path: String, timeoutMilliseconds: UInt64
    ) async throws(HTTP2ClientError) -> HTTP2Answer {
        let request = HTTPRequest(method: .get, scheme: nil, authority: address.description, path: path)
        return try await self.client.execute(
            request, to: HTTP2Address(host: address.host, port: address.port),
            timeout: .milliseconds(Int64(timeoutMilliseconds)), bodyByteCountMax: NodeLimits.statusByteCountMax)
    }

    func shutdown() async { await self.client.shutdown() }
}
