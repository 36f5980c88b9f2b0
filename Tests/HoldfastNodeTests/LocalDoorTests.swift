import HTTP2Transport
import HTTPTypes
import HoldfastClient
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import HoldfastAdmin
@testable import HoldfastNode

/// The admin listener's way to a client listener of real sockets.
@Suite(.timeLimit(.minutes(1))) struct LocalDoorTests {
    private static func with(
        _ connections: DoorConnections.Bounds = .init(of: ClientConnections()), limits: HTTP2Limits = .untrusted,
        _ body: (Listener, LocalDoor) async throws -> Void
    ) async throws {
        try await Listener.with(limits: limits) { listener in
            let door = LocalDoor(
                listener.address, having: connections, tls: nil, bounds: ConnectionBounds(),
                on: MultiThreadedEventLoopGroup.singleton.next(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            do { try await body(listener, door) } catch {
                await door.shutdown()
                throw error
            }
            await door.shutdown()
        }
    }

    private static func request(_ method: HTTPRequest.Method, _ path: String) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "http", authority: nil, path: path)
    }

    /// Takes all of an answer as it comes.
    private static func byteCount(of answer: DoorAnswer) async throws -> Int {
        var count = 0
        for try await part in answer.body {
            count += part.readableBytes
            answer.consumed(part.readableBytes)
        }
        return count
    }

    @Test func `one page that nobody reads has no other one refused, however large it is`() async throws {
        try await Self.with { listener, door in
            // Three pieces, and no text: a page of 9 MB, more than what one connection may leave unread.
            let pieces = Array(repeating: ByteBuffer(repeating: 0xff, count: 2_400_000), count: 3)
            let appended = try await door.pass(Self.request(.post, "/v1/records"), body: pieces)
            #expect(appended.head.status == .created)
            _ = try await Self.byteCount(of: appended)
            let page = Self.request(.get, "/v1/records?limit=1")
            let unread = try await door.pass(page, body: [])
            #expect(unread.head.status == .ok)
            for _ in 0..<3 {
                let read = try await door.pass(page, body: [])
                #expect(read.head.status == .ok)
                let byteCount = try await Self.byteCount(of: read)
                #expect(byteCount > 9_600_000)
            }
            let byteCount = try await Self.byteCount(of: unread)
            #expect(byteCount > 9_600_000, "and its own reader may come back")
            #expect(listener.server.connectionCount == 2, "whoever is through leaves a connection to the next")
        }
    }

    @Test func `a reader whose connection is not let in shares the one that is there`() async throws {
        var limits = HTTP2Limits.untrusted
        limits.connectionsPerAddressMax = 2
        try await Self.with(limits: limits) { listener, door in
            let follower = try await door.pass(Self.request(.get, "/v1/records?from=first&follow=true"), body: [])
            #expect(try await listener.ask(.post, "/v1/records", body: "from elsewhere").status == 201)
            #expect(listener.server.connectionCount == 2)
            let page = try await door.pass(Self.request(.get, "/v1/records"), body: [])
            #expect(page.head.status == .ok)
            let byteCount = try await Self.byteCount(of: page)
            #expect(byteCount > 0)
            #expect(listener.server.breachCounts == [.connectionsPerAddress: 1])
            withExtendedLifetime(follower) {}
        }
    }

    @Test(arguments: [(ClientConnections(), 5), (ClientConnections(max: 24, perAddressMax: 16), 2)])
    func `readers have connections of their own while there are enough, and all else shares one`(
        clients: ClientConnections, count: Int
    ) async throws {
        try await Self.with(DoorConnections.Bounds(of: clients)) { listener, door in
            let append = Self.request(.post, "/v1/records")
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await Self.byteCount(of: door.pass(append, body: [ByteBuffer(string: "x")]))
                    }
                }
                try await group.waitForAll()
            }
            #expect(listener.server.connectionCount == 1 && listener.log.values.count == 8)
            var followers: [DoorAnswer] = []
            for _ in 0..<5 {
                let follower = try await door.pass(
                    Self.request(.get, "/v1/records?from=first&follow=true"), body: [])
                #expect(follower.head.status == .ok)
                followers.append(follower)
            }
            #expect(listener.server.connectionCount == count && followers.count == 5)
            _ = try await Self.byteCount(of: door.pass(append, body: [ByteBuffer(string: "y")]))
            #expect(listener.server.connectionCount == count)
        }
    }

    private static let follow = Self.request(.get, "/v1/records?from=first&follow=true")
    private static let append = Self.request(.post, "/v1/records")

    /// A door that has two streams in all, both of which readers have that follow.
    private static func withFollowers(
        waitMilliseconds: Int64, _ body: (Listener, LocalDoor, inout [DoorAnswer]) async throws -> Void
    ) async throws {
        var limits = HTTP2Limits.untrusted
        limits.session.maxConcurrentStreams = 2
        let connections = DoorConnections.Bounds(
            connectionsMax: 1, streamsMax: 2, waitingMax: 1, waitMilliseconds: waitMilliseconds)
        try await Self.with(connections, limits: limits) { listener, door in
            var followers: [DoorAnswer] = []
            for _ in 0..<2 {
                followers.append(try await door.pass(Self.follow, body: []))
                #expect(followers.last?.head.status == .ok)
            }
            try await body(listener, door, &followers)
        }
    }

    private static func isRefused(_ problem: AdminProblem?) -> Bool {
        guard let problem else { return false }
        return problem.document.status == 503 && problem.document.code == "BUSY" && problem.document.applied == .no
            && problem.fields[.retryAfter] == "1"
    }

    @Test func `a request that gets no stream in time is refused, and whoever has one keeps it`() async throws {
        try await Self.withFollowers(waitMilliseconds: 20) { listener, door, followers in
            for request in [Self.append, Self.follow, Self.request(.head, "/v1/records")] {
                let problem = await #expect(throws: AdminProblem.self) {
                    _ = try await door.pass(request, body: request.method == .post ? [ByteBuffer(string: "x")] : [])
                }
                #expect(Self.isRefused(problem), "\(String(describing: problem))")
            }
            #expect(listener.log.values.isEmpty, "nothing was applied")
            #expect(try await listener.ask(.post, "/v1/records", body: "from elsewhere").status == 201)
            for follower in followers {
                var parts = follower.body.makeAsyncIterator()
                let part = try #require(try await parts.next())
                #expect(part.readableBytes > 0, "it has outlasted those who waited")
            }
        }
    }

    @Test func `a request that waits has the next stream that comes free, and no more than may wait`() async throws {
        try await Self.withFollowers(waitMilliseconds: 50_000) { listener, door, followers in
            async let waiting = door.pass(Self.append, body: [ByteBuffer(string: "waited")])
            while try await door.load.waitingCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
            let problem = await #expect(throws: AdminProblem.self) {
                _ = try await door.pass(Self.append, body: [ByteBuffer(string: "one too many")])
            }
            #expect(Self.isRefused(problem), "\(String(describing: problem))")
            #expect(listener.log.values.isEmpty)
            // Its reader has gone.
            followers.removeLast()
            let appended = try await waiting
            #expect(appended.head.status == .created && listener.log.values.count == 1)
            let isOver = try await door.load.waitingCount == 0
            #expect(isOver)
        }
    }
}
