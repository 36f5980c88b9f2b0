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

/// Notes how its stream ends.
private final class Ending: HTTP2ClientHandler {
    private let begun: EventLoopPromise<Void>
    private let ended: EventLoopPromise<HTTP2CloseReason>
    init(begun: EventLoopPromise<Void>, ended: EventLoopPromise<HTTP2CloseReason>) {
        self.begun = begun
        self.ended = ended
    }
    func received(head: HTTPResponse, on stream: HTTP2Stream) { self.begun.succeed() }
    func received(body: ByteBuffer, on stream: HTTP2Stream) {}
    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {}
    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        self.begun.succeed()
        self.ended.succeed(reason)
    }
}

/// Somebody who speaks as node 2 to one node.
private struct Stranger {
    let connection: HTTP2Connection
    let cluster: ClusterID

    static func meet(_ node: Replicator, of cluster: ClusterID) async throws -> Stranger {
        let logger = Logger(label: "x") { _ in SwiftLogNoOpLogHandler() }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return Stranger(
            connection: try await HTTP2Connection.connect(
                host: "127.0.0.1", port: node.peerPort, on: loop, logger: logger
            ).get(), cluster: cluster)
    }

    /// Opens `replicate`, sends `body`, and leaves the stream open.
    ///
    /// - Returns: How it ends, once the node has accepted it.
    func replicate(_ body: [UInt8] = []) async throws -> EventLoopFuture<HTTP2CloseReason> {
        let start = MemberStart(
            member: Member(node: NodeID(2), incarnation: Incarnation(7)), generation: 1, starts: 1, lives: [Life(1)])
        let head = HTTPRequest(
            method: .post, scheme: "http", authority: "peer", path: "/peer/v1/replicate",
            headerFields: [.holdfastCluster: "\(self.cluster)", .holdfastStart: start.fieldText])
        let loop = self.connection.eventLoop
        let (begun, ended) = (loop.makePromise(of: Void.self), loop.makePromise(of: HTTP2CloseReason.self))
        let connection = self.connection
        try await loop.submit {
            let stream = connection.open(head, handler: Ending(begun: begun, ended: ended))
            if !body.isEmpty { stream.send(ByteBuffer(bytes: body)) }
        }.get()
        try await begun.futureResult.get()
        return ended.futureResult
    }
}

@Suite(.timeLimit(.minutes(1))) struct UpstreamTests {
    private func with(_ body: (Stranger) async throws -> Void) async throws {
        let group = try await ReplicatorGroup()
        do {
            let leader = try await group.leader()
            let stranger = try await Stranger.meet(leader, of: try #require(await leader.status().cluster))
            try await body(stranger)
            stranger.connection.close()
        } catch { Issue.record(error) }
        await group.end()
    }

    @Test func `whoever is not welcomed may not announce a large message`() async throws {
        try await self.with { stranger in
            // Its length, of 64 KiB and 1, and nothing behind.
            let ended = try await stranger.replicate([1, 0, 1, 0])
            #expect(try await ended.get() == .reset(.cancel))
        }
    }

    @Test func `a second stream for ranges replaces the first`() async throws {
        try await self.with { stranger in
            let first = try await stranger.replicate()
            let second = try await stranger.replicate()
            #expect(try await first.get() == .reset(.cancel))
            stranger.connection.close()
            #expect(try await second.get() == .connectionLost)
        }
    }
}
