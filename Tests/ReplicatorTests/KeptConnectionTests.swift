import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import ReplicaCore
import Synchronization
import Testing
import WireFormat

@testable import Replicator

/// Connections on which nothing is said, on the port of a node that has no cluster yet.
@Suite struct KeptConnectionTests {
    private static let logger = Logger(label: "x") { _ in SwiftLogNoOpLogHandler() }

    @Test(.timeLimit(.minutes(1)))
    func `a node that formed the cluster first keeps its connection to one that has not, and a stranger does not`()
        async throws
    {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var limits = HTTP2Limits()
        limits.idleMilliseconds = 1_000
        limits.keptIdleMilliseconds = 600_000
        let server = try await HTTP2Server.bind(
            host: "127.0.0.1", port: 0, on: loop, limits: limits, logger: Self.logger
        ) { _ in PeerService(owner: BlankNode(), nextID: { StreamID(1) }) }
        let start = MemberStart(
            member: Member(node: NodeID(2), incarnation: Incarnation(7)), generation: 1, starts: 1, lives: [Life(1)])
        let (member, status) = try await Self.greet(server, on: loop, start)
        #expect(status == .misdirectedRequest)
        let isClosed = Atomic(false)
        member.closeFuture.whenComplete { _ in isClosed.store(true, ordering: .sequentiallyConsistent) }
        // Twice as long as it would live if it were nobody's.
        for _ in 0..<2 {
            let (stranger, status) = try await Self.greet(server, on: loop, nil)
            #expect(status == .misdirectedRequest)
            try await stranger.closeFuture.get()
        }
        let isLost = isClosed.load(ordering: .sequentiallyConsistent)
        #expect(!isLost)
        member.close()
        await server.shutdown(grace: .zero)
    }

    /// What a node sends first on each connection; its answer has come.
    private static func greet(
        _ server: HTTP2Server, on loop: any EventLoop, _ start: MemberStart?
    ) async throws -> (HTTP2Connection, HTTPResponse.Status) {
        let connection = try await HTTP2Connection.connect(
            host: "127.0.0.1", port: server.port, on: loop, logger: Self.logger
        ).get()
        var head = HTTPRequest(
            method: .post, scheme: "http", authority: "peer", path: "/peer/v1/greet",
            headerFields: [.holdfastCluster: "\(ClusterID(high: 1, low: 2))"])
        head.headerFields[.holdfastStart] = start?.fieldText
        let request = head
        let status = try await loop.flatSubmit {
            let answer = Answer(loop)
            _ = connection.open(request, handler: answer, endStream: true)
            return answer.promise.futureResult
        }.get()
        return (connection, status)
    }
}

/// The status that a request is answered with, once its stream has ended.
private final class Answer: HTTP2ClientHandler {
    let promise: EventLoopPromise<HTTPResponse.Status>
    private var status: HTTPResponse.Status?

    init(_ loop: any EventLoop) { self.promise = loop.makePromise() }

    func received(head: HTTPResponse, on stream: HTTP2Stream) { self.status = head.status }
    func received(body: ByteBuffer, on stream: HTTP2Stream) {}
    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {}
    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        guard let status else { return self.promise.fail(ChannelError.eof) }
        self.promise.succeed(status)
    }
}

/// A node without a log.
private final class BlankNode: PeerServiceOwner {
    let identity = PeerIdentity(
        cluster: nil, node: NodeID(1), incarnation: Incarnation(1), generation: 1, starts: 0, isBlank: true,
        founders: [])
    let cluster: ClusterID? = nil
    let start: MemberStart? = nil
    let segments: SegmentSource? = nil
    let statusSource: StatusSource? = nil
    let statusPlaces = StatusPlaces()
    func noted(_ claimed: NodeID, certified: NodeID) {}
    func opened(_ upstream: PeerUpstream) { upstream.close() }
    func received(_ message: PeerMessage, on upstream: PeerUpstream) {}
    func closed(_ upstream: PeerUpstream) {}
    func misunderstood(_ error: WireError, from node: NodeID) {}
}
