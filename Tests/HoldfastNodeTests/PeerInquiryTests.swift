import HTTP2Transport
import HTTPTypes
import HoldfastAdmin
import HoldfastClient
import LogModel
import Logging
import NIOCore
import NIOPosix
import Replicator
import Testing

@testable import HoldfastNode

/// Answers each request with what it was given for the path, else with 404.
private final class StandInHandler: HTTP2ServerHandler {
    private let answers: [String: (HTTPResponse.Status, String)]

    init(_ answers: [String: (HTTPResponse.Status, String)]) { self.answers = answers }

    func received(head: HTTPRequest, on stream: HTTP2Stream) {
        let (status, body) = self.answers[head.path ?? ""] ?? (.notFound, "")
        stream.respond(HTTPResponse(status: status), body: ByteBuffer(string: body))
    }
    func received(body: ByteBuffer, on stream: HTTP2Stream) {}
    func receivedEnd(on stream: HTTP2Stream) {}
    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {}
}

/// What a node believes of whoever answers at a member's address.
@Suite(.timeLimit(.minutes(1))) struct PeerInquiryTests {
    private typealias Answers = [String: (HTTPResponse.Status, String)]

    private static let cluster = ClusterID(high: 1, low: 2)
    private static let peerPath = "/peer/v1/status?events_after=4"
    private static let clientPath = "/admin/v1/status?events_after=4"
    private static let logger = Logger(label: "x") { _ in SwiftLogNoOpLogHandler() }

    private static func document(node: UInt32 = 2, cluster: ClusterID?) -> String {
        let status = ClusterStatus(
            node: node, role: "leader", term: 9, leader: node, cluster: cluster?.description, incarnation: "a",
            firstIndex: 1, lastIndex: 7, commit: "0:64", tail: "0:64", isReady: true, nodes: [])
        let document = NodeStatus(
            node: node, time: "2026-11-28T01:00:00.000000000Z", started: "2026-11-28T00:00:00.000000000Z",
            listeners: .init(client: "h:1", peer: "h:2", admin: "h:3"), policy: "always", isDraining: false,
            cluster: status, repairing: nil,
            disk: .init(logBytes: 64, segments: 1, freeBytes: nil, totalBytes: nil, isFull: false),
            totals: NodeTotals(), recent: RecentActivity(), lastEvent: 0)
        return String(decoding: JSONDocument.encode(document), as: UTF8.self)
    }

    /// Asks for member 2, whose listeners answer so.
    private static func ask(
        peer: Answers, client: Answers = [:], in cluster: ClusterID? = Self.cluster
    ) async throws -> Result<NodeStatus, PeerSilence> {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        var servers: [HTTP2Server] = []
        for answers in [peer, client] {
            servers.append(
                try await HTTP2Server.bind(host: "127.0.0.1", port: 0, on: loop, logger: Self.logger) { _ in
                    StandInHandler(answers)
                })
        }
        let forwarder = LeaderForwarder(eventLoop: loop, logger: Self.logger)
        let member = ClusterPeer(
            node: NodeID(2), peerHost: "127.0.0.1", peerPort: servers[0].port, clientHost: "127.0.0.1",
            clientPort: servers[1].port)
        let result: Result<NodeStatus, PeerSilence>
        do throws(PeerSilence) {
            // A machine that is busy with other tests is slow, and not silent.
            let inquiry = PeerInquiry(forwarder, timeoutMilliseconds: 30_000)
            result = .success(try await inquiry.status(of: member, in: cluster, eventsAfter: 4))
        } catch { result = .failure(error) }
        await forwarder.shutdown()
        for server in servers { await server.shutdown(grace: .zero) }
        return result
    }

    @Test func `the node that is meant is believed, also one that names no cluster yet`() async throws {
        for named in [Self.cluster, nil] {
            let answer = try await Self.ask(peer: [Self.peerPath: (.ok, Self.document(cluster: named))])
            #expect(try answer.get().cluster.cluster == named?.description)
        }
    }

    @Test func `another cluster's node at a member's address is not that member, whatever its number`() async throws {
        let other = ClusterID(high: 3, low: 4)
        let there: Answers = [Self.peerPath: (.ok, Self.document(cluster: other))]
        #expect(
            try await Self.ask(peer: there)
                == .failure(PeerSilence("a node of another cluster, \(other), is there instead")))
        // A node that has no cluster yet cannot tell.
        #expect(try await Self.ask(peer: there, in: nil).get().cluster.term == 9)
        let renumbered: Answers = [Self.peerPath: (.ok, Self.document(node: 3, cluster: Self.cluster))]
        #expect(try await Self.ask(peer: renumbered) == .failure(PeerSilence("node 3 is there instead")))
    }

    @Test func `a build that is not asked on its peer port is asked on its client port`() async throws {
        let old: Answers = [Self.clientPath: (.ok, Self.document(cluster: Self.cluster))]
        #expect(try await Self.ask(peer: [:], client: old).get().node == 2)
        let foreign: Answers = [Self.clientPath: (.ok, Self.document(cluster: ClusterID(high: 3, low: 4)))]
        guard case .failure = try await Self.ask(peer: [:], client: foreign) else {
            Issue.record("the client port's answer is checked, too")
            return
        }
        #expect(try await Self.ask(peer: [:]) == .failure(PeerSilence("it answered with 404")))
    }

    @Test func `only 404 leads to the client port`() async throws {
        let well: Answers = [Self.clientPath: (.ok, Self.document(cluster: Self.cluster))]
        let starting: Answers = [Self.peerPath: (.serviceUnavailable, "This node is starting.\n")]
        #expect(
            try await Self.ask(peer: starting, client: well)
                == .failure(PeerSilence("it answered with 503")))
        let garbled: Answers = [Self.peerPath: (.ok, "{}")]
        #expect(
            try await Self.ask(peer: garbled, client: well)
                == .failure(PeerSilence("it says what this version does not understand")))
    }
}
