import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import HoldfastAdmin
@testable import HoldfastNode

#if canImport(Glibc)
    import Glibc
#endif

/// Clients of the admin listener that go without a word while a request of theirs is at the client listener.
@Suite(.timeLimit(.minutes(1))) struct MirrorDepartureTests {
    /// Is asked nothing, but told of refusals.
    private final class QuietNode: AdminNode {
        let refusals = Mutex<[String]>([])
        let number: UInt32 = 1
        let lastEvent: UInt64 = 0
        let others: [AdminPeer] = []
        let isDraining = false

        func status(eventsAfter: UInt64?) async -> NodeStatus { preconditionFailure("nobody asks for it") }
        func metrics() async -> NodeMetrics { preconditionFailure("nobody asks for it") }
        func segments() async -> [SegmentDocument] { [] }
        func events(after number: UInt64) -> [EventDocument] { [] }
        func status(of peer: AdminPeer, eventsAfter: UInt64?) async throws(PeerSilence) -> NodeStatus {
            throw PeerSilence("there is no other")
        }
        func reach(_ part: NodePart) async {}
        func confirmedNextIndex() async throws(PeerSilence) -> LogIndex { .first }
        func isLevel(with index: LogIndex, withinMilliseconds: UInt64) async -> Bool { true }
        func refused(_ problem: ProblemDocument, of head: HTTPRequest) {
            self.refusals.withLock { $0.append(problem.code) }
        }
    }

    /// How a client goes.
    enum Departure: CaseIterable {
        /// Its machine answers for it no more: RST.
        case reset
        /// It closes its socket as programs do, which looks as if it had nothing more to ask: FIN.
        case closed
    }

    private struct World {
        let log: FakeLog
        let door: LocalDoor
        let admin: AdminServer
        let node: QuietNode

        /// A client that has sent this.
        func client(_ request: String, _ departure: Departure) async throws -> any Channel {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: self.admin.port).get()
            let options = try #require(channel as? any SocketOptionProvider)
            if departure == .reset { try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get() }
            try await channel.writeAndFlush(ByteBuffer(string: request))
            return channel
        }

        /// Waits until it is so; the time limit of the suite ends a test in vain.
        func wait(until isSo: (DoorConnections.Load) -> Bool) async throws {
            while try await !isSo(self.door.load) { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    private static func with(streamsMax: Int = 100, _ body: (World) async throws -> Void) async throws {
        try await Listener.with { listener in
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            var bounds = ConnectionBounds()
            bounds.idleMilliseconds = 100
            let door = LocalDoor(
                listener.address,
                having: DoorConnections.Bounds(connectionsMax: 1, streamsMax: streamsMax, waitMilliseconds: 50_000),
                tls: nil, bounds: bounds, on: MultiThreadedEventLoopGroup.singleton.next(), logger: logger)
            let node = QuietNode()
            let admin = try await AdminServer.start(
                ServerAddress(host: "127.0.0.1", port: 0), node: node, door: door, names: [], bounds: bounds,
                on: MultiThreadedEventLoopGroup.singleton.next(), logger: logger)
            let world = World(log: listener.log, door: door, admin: admin, node: node)
            let result: Result<Void, any Error>
            do { result = .success(try await body(world)) } catch { result = .failure(error) }
            await admin.shutdown()
            await door.shutdown()
            try result.get()
        }
    }

    private static func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n" }
    private static let follow = Self.get("/v1/records?from=tail&follow=true")
    private static let append =
        "POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"

    @Test(arguments: Departure.allCases)
    func `a reader that goes while nothing is committed leaves its stream to others`(_ departure: Departure)
        async throws
    {
        try await Self.with { world in
            let client = try await world.client(Self.follow, departure)
            try await world.wait { $0 == .init(streamCount: 1, readerCount: 1) }
            while world.log.waiterCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
            try await client.close()
            try await world.wait { $0 == .init() }
        }
    }

    @Test(arguments: Departure.allCases)
    func `a request that has no answer yet is given up with its client, and is no refusal`(_ departure: Departure)
        async throws
    {
        try await Self.with { world in
            world.log.holdAppends()
            let late = Self.get("/v1/records?consistency=committed&min_index=2&wait=20s")
            for (request, readerCount) in [(late, 1), (Self.append, 0)] {
                let client = try await world.client(request, departure)
                try await world.wait { $0 == .init(streamCount: 1, readerCount: readerCount) }
                try await client.close()
                try await world.wait { $0 == .init() }
            }
            // It ends its connections, and with them whatever they still do.
            await world.admin.shutdown()
            #expect(world.node.refusals.withLock { $0 } == [])
        }
    }

    @Test func `a request that waits for a stream is given up with its client`() async throws {
        try await Self.with(streamsMax: 1) { world in
            let first = try await world.client(Self.follow, .reset)
            try await world.wait { $0 == .init(streamCount: 1, readerCount: 1) }
            let second = try await world.client(Self.append, .reset)
            try await world.wait { $0.waitingCount == 1 }
            try await second.close()
            try await world.wait { $0 == .init(streamCount: 1, readerCount: 1) }
            try await first.close()
            try await world.wait { $0 == .init() }
            #expect(world.log.appendCount == 0)
        }
    }
}
