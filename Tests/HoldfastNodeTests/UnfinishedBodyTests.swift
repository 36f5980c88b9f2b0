import HTTP2Transport
import HTTPTypes
import HoldfastClient
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import HoldfastNode

/// Large bodies at a real listener: those that come whole, and those that stop before.
@Suite(.timeLimit(.minutes(2))) struct UnfinishedBodyTests {
    /// Begins a request, and sends a body as far as the listener lets it.
    private final class Upload: HTTP2ClientHandler {
        private let statuses: AsyncStream<Int>.Continuation

        init(_ statuses: AsyncStream<Int>.Continuation) { self.statuses = statuses }

        func received(head: HTTPResponse, on stream: HTTP2Stream) { self.statuses.yield(head.status.code) }
        func received(body: ByteBuffer, on stream: HTTP2Stream) {}
        func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {}
        func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {}
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func connect(_ listener: Listener) async throws -> HTTP2Connection {
        try await HTTP2Connection.connect(
            host: "127.0.0.1", port: listener.server.port, on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: Self.logger
        ).get()
    }

    /// So many requests, and so many bytes of each: it is never their end.
    private func begin(
        _ count: Int, of byteCount: Int, on connection: HTTP2Connection, _ statuses: AsyncStream<Int>.Continuation
    ) async throws {
        let body = ByteBuffer(repeating: 0x61, count: byteCount)
        try await connection.eventLoop.submit {
            for _ in 0..<count {
                let request = HTTPRequest(method: .post, scheme: "http", authority: "test", path: "/v1/records")
                connection.open(request, handler: Upload(statuses)).send(body)
            }
        }.get()
    }

    private func sums(_ listener: Listener) async throws -> (loose: Int, reserved: Int, waiting: Int) {
        let bodies = listener.api.bodies
        return try await bodies.eventLoop.submit {
            (bodies.value.looseByteCount, bodies.value.reservedByteCount, bodies.value.waitingCount)
        }.get()
    }

    private func wait(_ listener: Listener, until isReached: (Int, Int, Int) -> Bool) async throws {
        while true {
            let sums = try await self.sums(listener)
            if isReached(sums.loose, sums.reserved, sums.waiting) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test(arguments: [1, 64])
    func `64 clients append 1 MiB each at the same time, over one connection or as many`(_ connections: Int)
        async throws
    {
        try await Listener.with { listener in
            let clients = (0..<connections).map { _ in
                HTTP2Client(on: MultiThreadedEventLoopGroup.singleton.next(), logger: Self.logger)
            }
            let body = ByteBuffer(repeating: 0x61, count: 1 << 20)
            let address = HTTP2Address(host: "127.0.0.1", port: listener.server.port)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        let request = HTTPRequest(method: .post, scheme: "http", authority: "test", path: "/v1/records")
                        return try await clients[number % connections].execute(
                            request, body: body, to: address, timeout: .seconds(60), bodyByteCountMax: 4_096
                        ).head.status.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 201, count: 64))
            #expect(listener.log.appendCount == 64)
            let sums = try await self.sums(listener)
            #expect(sums == (0, 0, 0))
            for client in clients { await client.shutdown(grace: .zero) }
        }
    }

    @Test func `a few of the largest bodies pass at the same time`() async throws {
        try await Listener.with { listener in
            let body = ByteBuffer(repeating: 0x61, count: NodeLimits.bodyByteCountMax)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await listener.fetch(.post, "/v1/records", body: body).head.status.code }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 201, count: 8))
        }
    }

    @Test func `many bodies that stop before their ends are held within a bound, and others are served`() async throws {
        var limits = NodeLimits.Bodies()
        limits.waitMilliseconds = 1_000
        try await Listener.with(bodies: limits) { listener in
            let (statuses, answered) = AsyncStream.makeStream(of: Int.self)
            let connections = [try await self.connect(listener), try await self.connect(listener)]
            let largest = Mutex(0)
            for connection in connections { try await self.begin(40, of: 7 << 20, on: connection, answered) }
            try await self.wait(listener) { loose, reserved, waiting in
                largest.withLock { $0 = max($0, loose + reserved) }
                return reserved > 0 && waiting > 20
            }
            #expect(try await listener.ask(.post, "/v1/records", body: "small").status == 201)
            // All but those that have room wait in vain.
            var refused = 0
            for await status in statuses {
                #expect(status == 429)
                refused += 1
                let sums = try await self.sums(listener)
                largest.withLock { $0 = max($0, sums.loose + sums.reserved) }
                if refused == 30 { break }
            }
            #expect(largest.withLock { $0 } <= limits.looseByteCountMax + limits.reservedByteCountMax + 1 << 20)
            for connection in connections { connection.close() }
            try await self.wait(listener) { $0 == 0 && $1 == 0 && $2 == 0 }
        }
    }

    @Test func `who sends drops of a large body gives way to who sends all of it`() async throws {
        var limits = NodeLimits.Bodies()
        limits.progressMilliseconds = 200
        limits.reservedByteCountMax = 8 << 20
        limits.connectionReservedByteCountMax = 8 << 20
        try await Listener.with(bodies: limits) { listener in
            let (statuses, answered) = AsyncStream.makeStream(of: Int.self)
            let connection = try await self.connect(listener)
            try await self.begin(1, of: 1 << 20, on: connection, answered)
            try await self.wait(listener) { _, reserved, _ in reserved > 0 }
            let body = ByteBuffer(repeating: 0x61, count: 2 << 20)
            let whole = try await listener.fetch(.post, "/v1/records", body: body)
            #expect(whole.head.status == .created)
            let status = await statuses.first { _ in true }
            #expect(status == 429)
            #expect(listener.server.breachCounts == [.unfinishedBodies: 1])
            connection.close()
        }
    }

    @Test func `batches that stop before their ends count, and end their sessions when there is no room`() async throws
    {
        var limits = NodeLimits.Bodies()
        limits.waitMilliseconds = 300
        try await Listener.with(bodies: limits) { listener in
            var bytes = SessionBatch.encode([Record("a")])
            SessionBatch.number(&bytes, as: 1)
            // Then a batch of 7 MiB, most of which never comes.
            bytes.writeInteger(UInt32(7 << 20), endianness: .little)
            bytes.writeRepeatingByte(0, count: 1 << 20)
            var sessions: [RawSession] = []
            // There is room for one.
            for count in 1...5 {
                var session = try await RawSession.open(at: listener)
                session.send(bytes)
                _ = try await session.receipts(1)
                if count == 1 { try await self.wait(listener) { _, reserved, _ in reserved > count * 7 << 20 } }
                sessions.append(session)
            }
            for index in 1...4 {
                guard case .failed(2, let problem)? = await sessions[index].next() else {
                    Issue.record("session \(index) goes on")
                    continue
                }
                #expect(problem.code == "BUSY" && problem.status == 429 && problem.applied == .no)
            }
            for session in sessions { session.finish() }
            try await self.wait(listener) { $0 == 0 && $1 == 0 && $2 == 0 }
        }
    }
}
