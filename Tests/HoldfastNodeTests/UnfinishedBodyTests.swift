import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import HoldfastNode

/// A request to append whose body comes piece by piece, as the test says.
private struct Upload {
    private let stream: HTTP2StreamReference
    /// What it is answered with; ends with the stream.
    private let answers: AsyncStream<(status: Int, body: String)>

    static func begin(on connection: HTTP2Connection) async throws -> Upload {
        let (answers, continuation) = AsyncStream.makeStream(of: (status: Int, body: String).self)
        let request = HTTPRequest(method: .post, scheme: "http", authority: "test", path: "/v1/records")
        let stream = try await connection.eventLoop.submit {
            connection.open(request, handler: Handler(continuation)).reference
        }.get()
        return Upload(stream: stream, answers: answers)
    }

    func send(_ byteCount: Int) {
        self.stream.execute { $0.send(ByteBuffer(repeating: 0x61, count: byteCount)) }
    }

    func end() { self.stream.execute { $0.finish() } }

    /// Sends the end, and waits for the answer.
    func finish() async -> (status: Int, body: String)? {
        self.end()
        return await self.answers.first { _ in true }
    }

    private final class Handler: HTTP2ClientHandler {
        private let answers: AsyncStream<(status: Int, body: String)>.Continuation
        private var status = 0
        private var body = ByteBuffer()

        init(_ answers: AsyncStream<(status: Int, body: String)>.Continuation) { self.answers = answers }

        func received(head: HTTPResponse, on stream: HTTP2Stream) { self.status = head.status.code }
        func received(body: ByteBuffer, on stream: HTTP2Stream) { self.body.writeImmutableBuffer(body) }
        func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {
            self.answers.yield((self.status, String(buffer: self.body)))
        }
        func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) { self.answers.finish() }
    }
}

/// Bodies at a real listener that come whole, slowly, or not to their ends.
@Suite(.timeLimit(.minutes(1))) struct UnfinishedBodyTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let mebibyte = 1 << 20

    private func connect(_ listener: Listener) async throws -> HTTP2Connection {
        try await HTTP2Connection.connect(
            host: "127.0.0.1", port: listener.server.port, on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: Self.logger
        ).get()
    }

    private func heldByteCount(_ listener: Listener) async throws -> Int {
        let bodies = listener.api.unfinishedBodies
        return try await bodies.eventLoop.submit { bodies.value.byteCount }.get()
    }

    private func wait(_ listener: Listener, untilHeld byteCount: Int) async throws {
        while try await self.heldByteCount(listener) != byteCount { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test(arguments: [1, 32])
    func `as many bodies as there is room for pass at the same time`(_ connectionCount: Int) async throws {
        try await Listener.with { listener in
            let connections = try await withThrowingTaskGroup(of: HTTP2Connection.self) { group in
                for _ in 0..<connectionCount { group.addTask { try await self.connect(listener) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let statuses = try await withThrowingTaskGroup(of: Int?.self) { group in
                for number in 0..<32 {
                    group.addTask {
                        let upload = try await Upload.begin(on: connections[number % connectionCount])
                        upload.send(Self.mebibyte)
                        return await upload.finish()?.status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 201, count: 32))
            #expect(listener.log.appendCount == 32)
            #expect(try await self.heldByteCount(listener) == 0)
            for connection in connections { connection.close() }
        }
    }

    @Test func `of bodies that stop the oldest give way, and whoever comes is served`() async throws {
        try await Listener.with(unfinishedByteCountMax: 8 * Self.mebibyte) { listener in
            let connection = try await self.connect(listener)
            var stopped: [Upload] = []
            for count in 1...8 {
                stopped.append(try await Upload.begin(on: connection))
                stopped[count - 1].send(Self.mebibyte)
                try await self.wait(listener, untilHeld: count * Self.mebibyte)
            }
            #expect(try await listener.ask(.post, "/v1/records", body: "small").status == 201)
            let large = ByteBuffer(repeating: 0x62, count: 4 * Self.mebibyte)
            #expect(try await listener.fetch(.post, "/v1/records", body: large).head.status == .created)
            // The small body made one of them give way, and the large one so many as it needed room.
            try await self.wait(listener, untilHeld: 4 * Self.mebibyte)
            #expect(listener.server.breachCounts == [.unfinishedBodies: 4])
            for upload in stopped[..<4] {
                // What still comes of it is not kept.
                upload.send(Self.mebibyte)
                let answer = try #require(await upload.finish())
                #expect(answer.status == 429)
                #expect(answer.body.contains(#""code":"BUSY""#) && answer.body.contains(#""applied":"no""#))
            }
            for upload in stopped[4...] { #expect(await upload.finish()?.status == 201) }
            #expect(listener.log.appendCount == 6)
            #expect(try await self.heldByteCount(listener) == 0)
            connection.close()
        }
    }

    @Test func `who goes on outlasts who stops, whoever began before`() async throws {
        try await Listener.with(unfinishedByteCountMax: 2 * Self.mebibyte) { listener in
            let connection = try await self.connect(listener)
            let going = try await Upload.begin(on: connection)
            going.send(512 << 10)
            try await self.wait(listener, untilHeld: 512 << 10)
            let stopped = try await Upload.begin(on: connection)
            stopped.send(Self.mebibyte)
            try await self.wait(listener, untilHeld: 1_536 << 10)
            going.send(128 << 10)
            try await self.wait(listener, untilHeld: 1_664 << 10)
            let body = ByteBuffer(repeating: 0x62, count: Self.mebibyte)
            #expect(try await listener.fetch(.post, "/v1/records", body: body).head.status == .created)
            #expect(await going.finish()?.status == 201)
            #expect(await stopped.finish()?.status == 429)
            connection.close()
        }
    }

    @Test func `a body that comes in drops is taken while there is room for all`() async throws {
        try await Listener.with(unfinishedByteCountMax: 8 * Self.mebibyte) { listener in
            let connection = try await self.connect(listener)
            let slow = try await Upload.begin(on: connection)
            let body = ByteBuffer(repeating: 0x62, count: 6 * Self.mebibyte)
            for drop in 1...50 {
                slow.send(20_000)
                try await self.wait(listener, untilHeld: drop * 20_000)
                guard drop % 10 == 0 else { continue }
                #expect(try await listener.fetch(.post, "/v1/records", body: body).head.status == .created)
            }
            #expect(await slow.finish()?.status == 201)
            #expect(listener.server.breachCounts.isEmpty)
            connection.close()
        }
    }

    @Test func `a stream or a connection that goes gives the room of its body back`() async throws {
        try await Listener.with { listener in
            let connection = try await self.connect(listener)
            for _ in 0..<3 { try await Upload.begin(on: connection).send(1_000) }
            try await self.wait(listener, untilHeld: 3_000)
            connection.close()
            try await self.wait(listener, untilHeld: 0)
        }
    }

    @Test func `the beginning of a session's batch counts, and gives way behind what is acknowledged`() async throws {
        try await Listener.with(unfinishedByteCountMax: 2 * Self.mebibyte) { listener in
            var bytes = SessionBatch.encode([Record("a")])
            SessionBatch.number(&bytes, as: 1)
            // Then a batch of 4 MiB, most of which never comes.
            bytes.writeInteger(UInt32(4 * Self.mebibyte), endianness: .little)
            bytes.writeRepeatingByte(0, count: Self.mebibyte - 4)
            var sessions: [RawSession] = []
            for count in 1...3 {
                var session = try await RawSession.open(at: listener)
                session.send(bytes)
                _ = try await session.receipts(1)
                try await self.wait(listener, untilHeld: min(count, 2) * Self.mebibyte)
                sessions.append(session)
            }
            let answer = await sessions[0].next()
            guard case .failed(2, let problem)? = answer else { throw UnexpectedAnswer(answer: answer) }
            #expect(problem.code == "BUSY" && problem.status == 429 && problem.applied == .no)
            for session in sessions { session.finish() }
            try await self.wait(listener, untilHeld: 0)
        }
    }

    @Test func `of a session counts what is not taken yet, and no more, also while its answers are not read`()
        async throws
    {
        try await Listener.with { listener in
            var first = SessionBatch.encode([Record(value: [UInt8](repeating: 0x61, count: 100_000)[...])])
            SessionBatch.number(&first, as: 1)
            var second = SessionBatch.encode([Record(value: [UInt8](repeating: 0x62, count: 200_000)[...])])
            SessionBatch.number(&second, as: 2)
            var session = try await RawSession.open(at: listener)
            session.send(first.readSlice(length: 60_000) ?? ByteBuffer())
            try await self.wait(listener, untilHeld: 60_000)
            var rest = first
            rest.writeImmutableBuffer(second.readSlice(length: 150_000) ?? ByteBuffer())
            session.send(rest)
            _ = try await session.receipts(1)
            try await self.wait(listener, untilHeld: 150_000)
            session.send(second)
            _ = try await session.receipts(1)
            try await self.wait(listener, untilHeld: 0)
            // With so many batches waiting no more are taken: the rest is held, and counts.
            listener.log.holdAppends()
            var many = ByteBuffer()
            for number in 0..<UInt64(NodeLimits.sessionBatchesMax + 10) {
                var batch = SessionBatch.encode([Record("a")])
                SessionBatch.number(&batch, as: 3 + number)
                many.writeImmutableBuffer(batch)
            }
            let byteCount = many.readableBytes / (NodeLimits.sessionBatchesMax + 10)
            session.send(many)
            try await self.wait(listener, untilHeld: 10 * byteCount)
            session.finish()
            try await self.wait(listener, untilHeld: 0)
        }
    }

    @Test func `whole bodies that wait for the leader's answer have a bound, and who comes then is told at once`()
        async throws
    {
        try await Listener.with { follower in
            let leader = try await Listener.start()
            leader.log.holdAppends()
            follower.log.setPeers(FakeLog.peers(ports: [1, leader.server.port]))
            follower.log.setLeader(NodeID(2))
            let connection = try await self.connect(follower)
            let count = NodeLimits.waitingByteCountMax / NodeLimits.bodyByteCountMax
            for number in 1...count {
                let upload = try await Upload.begin(on: connection)
                upload.send(NodeLimits.bodyByteCountMax)
                upload.end()
                while leader.log.appendCount < number { try await Task.sleep(for: .milliseconds(2)) }
            }
            let refused = try await follower.ask(.post, "/v1/records", body: "one more")
            #expect(refused.status == 429 && refused.body.contains("BUSY"))
            connection.close()
            // Their clients are gone, and they are on their way still.
            #expect(try await follower.ask(.post, "/v1/records", body: "one more").status == 429)
            await leader.stop()
            while follower.api.waitingBytes.take(NodeLimits.waitingByteCountMax) == nil {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private struct UnexpectedAnswer: Error { var answer: SessionAnswer? }
}
