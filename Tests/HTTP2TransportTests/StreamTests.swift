import HTTP2Session
import HTTP2Transport
import HTTPTypes
import NIOCore
import Synchronization
import Testing

/// A client handler that sends a pattern as fast as it may and checks what comes back.
private final class PatternClient: HTTP2ClientHandler {
    private static let chunk = ByteBuffer(bytes: (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) })
    private let promise: EventLoopPromise<(Int, HTTP2CloseReason)>
    private var missing: Int
    private var receivedByteCount = 0
    private var isRight = true
    private(set) var largestBuffered = 0

    init(byteCount: Int, _ promise: EventLoopPromise<(Int, HTTP2CloseReason)>) {
        self.missing = byteCount
        self.promise = promise
    }

    func pump(_ stream: HTTP2Stream) {
        while self.missing > 0 && stream.isWritable {
            stream.send(Self.chunk, endStream: self.missing == Self.chunk.readableBytes)
            self.missing -= Self.chunk.readableBytes
            self.largestBuffered = max(self.largestBuffered, stream.bufferedByteCount)
        }
    }

    func received(head: HTTPResponse, on stream: HTTP2Stream) {}
    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        var body = body
        while body.readableBytes > 0 {
            let offset = self.receivedByteCount % Self.chunk.readableBytes
            let count = min(body.readableBytes, Self.chunk.readableBytes - offset)
            if body.readSlice(length: count) != Self.chunk.getSlice(at: offset, length: count) { self.isRight = false }
            self.receivedByteCount += count
        }
    }
    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {}
    func becameWritable(on stream: HTTP2Stream) { self.pump(stream) }
    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        self.promise.succeed((self.isRight ? self.receivedByteCount : -1, reason))
    }
}

/// Notes what it hears.
private final class Listener: HTTP2ClientHandler {
    private let witness: Witness
    init(_ witness: Witness) { self.witness = witness }
    func received(head: HTTPResponse, on stream: HTTP2Stream) { self.witness.note("status \(head.status.code)") }
    func received(body: ByteBuffer, on stream: HTTP2Stream) { self.witness.note("body \(String(buffer: body))") }
    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {
        self.witness.note("end \(trailers[.contentLanguage] ?? "-")")
    }
    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) { self.witness.note("closed \(reason)") }
}

@Suite(.timeLimit(.minutes(2))) struct StreamTests {
    private func connect(_ server: HTTP2Server, _ limits: HTTP2Limits = HTTP2Limits()) async throws -> HTTP2Connection {
        try await HTTP2Connection.connect(
            host: "127.0.0.1", port: server.port, on: loops.next(), limits: limits, logger: quiet
        ).get()
    }

    /// Opens a stream on the connection's loop; what happens to it goes to the witness.
    private func open(
        _ connection: HTTP2Connection, _ method: HTTPRequest.Method, _ path: String, endStream: Bool,
        then: @escaping @Sendable (HTTP2Stream) -> Void = { _ in }
    ) async throws -> (HTTP2StreamReference, Witness) {
        let witness = Witness()
        let reference = try await connection.eventLoop.submit {
            let stream = connection.open(request(method, path), handler: Listener(witness), endStream: endStream)
            then(stream)
            return stream.reference
        }.get()
        return (reference, witness)
    }

    @Test func `64 MB go through one echo stream both ways in bounded memory`() async throws {
        let byteCount = 64 << 20
        var limits = HTTP2Limits()
        limits.streamBufferByteCount = 256 << 10
        try await withServer(limits: limits) { server, witness in
            let connection = try await self.connect(server, limits)
            let (received, largestBuffered) = try await connection.eventLoop.flatSubmit {
                let promise = connection.eventLoop.makePromise(of: (Int, HTTP2CloseReason).self)
                let handler = PatternClient(byteCount: byteCount, promise)
                handler.pump(connection.open(request(.post, "/echo"), handler: handler))
                let bound = NIOLoopBound(handler, eventLoop: connection.eventLoop)
                return promise.futureResult.map { ($0, bound.value.largestBuffered) }
            }.get()
            #expect(received.0 == byteCount)
            #expect(received.1 == .finished)
            #expect(largestBuffered <= (256 << 10) + 65_536)
            await witness.wait(for: "closed /echo finished")
            connection.close()
            try await connection.closeFuture.get()
        }
    }

    @Test func `a stalled stream does not hold the others`() async throws {
        var limits = HTTP2Limits()
        limits.session.streamWindowByteCount = 100_000
        limits.session.connectionWindowByteCount = 300_000
        try await withServer(limits: limits) { server, _ in
            let connection = try await self.connect(server)
            let body = ByteBuffer(repeating: 0, count: 1_000_000)
            let (stalled, _) = try await self.open(connection, .post, "/stall", endStream: false) { $0.send(body) }
            for _ in 0..<10 {
                let (_, witness) = try await self.open(connection, .post, "/count", endStream: false) {
                    $0.send(body, endStream: true)
                }
                await witness.wait(for: "body 1000000\n")
            }
            let buffered = try await self.buffered(stalled)
            #expect(buffered == 900_000, "one window's worth has left")
            connection.close()
            try await connection.closeFuture.get()
        }
    }

    private func buffered(_ stream: HTTP2StreamReference) async throws -> Int {
        let promise = stream.eventLoop.makePromise(of: Int.self)
        stream.execute { promise.succeed($0.bufferedByteCount) }
        return try await promise.futureResult.get()
    }

    @Test func `the end of a response comes with its trailers`() async throws {
        try await withServer { server, _ in
            let connection = try await self.connect(server)
            let (_, witness) = try await self.open(connection, .get, "/trailers", endStream: true)
            await witness.wait(for: "closed finished")
            #expect(witness.events == ["status 200", "body x", "end en", "closed finished"])
            connection.shutDown()
            try await connection.closeFuture.get()
        }
    }

    @Test func `an early answer ends the upload`() async throws {
        try await withServer { server, serverSide in
            let connection = try await self.connect(server)
            let (_, witness) = try await self.open(connection, .post, "/early", endStream: false)
            await witness.wait(for: "closed finished")
            #expect(witness.events == ["status 413", "body too much\n", "end -", "closed finished"])
            await serverSide.wait(for: "closed /early finished")
            connection.close()
        }
    }

    @Test func `resets go both ways and everybody is told once`() async throws {
        try await withServer { server, serverSide in
            let connection = try await self.connect(server)
            let (_, reset) = try await self.open(connection, .get, "/reset", endStream: true)
            await reset.wait(for: "closed \(HTTP2CloseReason.reset(.internalError))")
            await serverSide.wait(for: "closed /reset cancelled")
            let (stream, own) = try await self.open(connection, .get, "/hang", endStream: true)
            await serverSide.wait(for: "head /hang")
            stream.execute { $0.reset(.cancel) }
            await own.wait(for: "closed cancelled")
            await serverSide.wait(for: "closed /hang \(HTTP2CloseReason.reset(.cancel))")
            let (unsent, never) = try await self.open(connection, .get, "/never", endStream: true) { $0.reset(.cancel) }
            await never.wait(for: "closed cancelled")
            stream.execute { $0.reset() }
            unsent.execute { $0.reset() }
            connection.close()
            try await connection.closeFuture.get()
            #expect(own.count("closed cancelled") == 1)
            #expect(!serverSide.events.contains("closed twice"))
        }
    }

    @Test func `a closed connection ends its streams and refuses new ones`() async throws {
        try await withServer { server, serverSide in
            let connection = try await self.connect(server)
            let (_, witness) = try await self.open(connection, .get, "/hang", endStream: true)
            await serverSide.wait(for: "head /hang")
            connection.close()
            await witness.wait(for: "closed connectionLost")
            await serverSide.wait(for: "closed /hang connectionLost")
            try await connection.closeFuture.get()
            let (_, late) = try await self.open(connection, .get, "/hello", endStream: true)
            await late.wait(for: "closed refused")
        }
    }

    @Test func `a shutdown lets requests end, resets long-lived streams and refuses new ones`() async throws {
        try await withServer { server, serverSide in
            let connection = try await self.connect(server)
            let (upload, witness) = try await self.open(connection, .post, "/count", endStream: false)
            let (_, long) = try await self.open(connection, .post, "/long", endStream: false)
            await serverSide.wait(for: "head /count")
            await serverSide.wait(for: "head /long")
            async let down: Void = server.shutdown(grace: .seconds(30))
            await long.wait(for: "closed \(HTTP2CloseReason.reset(.cancel))")
            upload.execute { $0.send(ByteBuffer(string: "four"), endStream: true) }
            await witness.wait(for: "closed finished")
            #expect(witness.events == ["status 200", "body 4\n", "end -", "closed finished"])
            await down
            try await connection.closeFuture.get()
            #expect(server.connectionCount == 0)
            await #expect(throws: (any Error).self) { _ = try await self.connect(server) }
        }
    }

    @Test func `a shutdown ends after its grace whatever the handlers do`() async throws {
        try await withServer { server, serverSide in
            let connection = try await self.connect(server)
            let (_, witness) = try await self.open(connection, .get, "/hang", endStream: true)
            await serverSide.wait(for: "head /hang")
            await server.shutdown(grace: .milliseconds(50))
            await witness.wait(for: "closed connectionLost")
            #expect(server.connectionCount == 0)
        }
    }

    @Test func `a header list over the limit is answered with 431`() async throws {
        try await withServer { server, _ in
            let connection = try await self.connect(server)
            let witness = Witness()
            try await connection.eventLoop.submit {
                var large = request(.get, "/hello")
                for number in 0..<100 {
                    large.headerFields.append(
                        HTTPField(name: .cookie, value: "\(number)" + String(repeating: "c", count: 500)))
                }
                _ = connection.open(large, handler: Listener(witness), endStream: true)
            }.get()
            await witness.wait(for: "closed finished")
            #expect(witness.events.first == "status 431")
            connection.close()
        }
    }
}
