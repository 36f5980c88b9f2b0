import HTTP2Session
import HTTP2Transport
import HTTPTypes
import NIOCore
import NIOPosix
import Testing

/// Takes a window's worth of an answer, and the rest once it is told to.
private final class Sparing: HTTP2ClientHandler {
    private let witness: Witness
    private let windowByteCount: Int
    private var byteCount = 0

    init(_ witness: Witness, windowByteCount: Int) {
        self.witness = witness
        self.windowByteCount = windowByteCount
    }

    func received(head: HTTPResponse, on stream: HTTP2Stream) { stream.isManualCredit = true }
    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        self.byteCount += body.readableBytes
        if self.byteCount == self.windowByteCount { self.witness.note("window is full") }
    }
    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {}
    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) { self.witness.note("closed \(reason)") }
}

@Suite(.timeLimit(.minutes(1))) struct UnsentBodyTests {
    private static let windowByteCount = 99_000

    /// Opens a stream for a body of 100,000 bytes.
    private func ask(_ connection: HTTP2Connection) async throws -> (stream: HTTP2StreamReference, witness: Witness) {
        let witness = Witness()
        let stream = try await connection.eventLoop.submit {
            let handler = Sparing(witness, windowByteCount: Self.windowByteCount)
            return connection.open(request(.get, "/whole/100000"), handler: handler, endStream: true).reference
        }.get()
        return (stream, witness)
    }

    @Test func `of an answer all is counted while a little is left, for all of it is kept`() async throws {
        var limits = HTTP2Limits()
        limits.unsentByteCountMax = 150_000
        try await withServer(limits: limits) { server, _ in
            var sparing = HTTP2Limits()
            sparing.session.streamWindowByteCount = UInt32(Self.windowByteCount)
            let connection = try await HTTP2Connection.connect(
                host: "127.0.0.1", port: server.port, on: loops.next(), limits: sparing, logger: quiet
            ).get()
            let first = try await self.ask(connection)
            await first.witness.wait(for: "window is full")
            let second = try await self.ask(connection)
            await second.witness.wait(for: "window is full")
            let third = try await self.ask(connection)
            await third.witness.wait(for: "closed reset(\(HTTP2FailureCode.enhanceYourCalm))")
            #expect(server.breachCounts == [.unsentBytes: 1])
            for ask in [first, second] {
                ask.stream.execute { $0.consumed(Self.windowByteCount) }
                await ask.witness.wait(for: "closed finished")
            }
            let fourth = try await self.ask(connection)
            await fourth.witness.wait(for: "window is full")
            connection.close()
        }
    }

    @Test func `what a socket does not take is counted, too, though its stream is gone`() async throws {
        var limits = HTTP2Limits()
        limits.listenerUnsentByteCountMax = 1 << 20
        limits.unsentByteCountShare = 1_000
        try await withServer(limits: limits) { server, witness in
            let unread = try await UnreadPeer.connect(to: server, asking: "/whole/20000000")
            try await unread.begun.get()
            // RST_STREAM, CANCEL.
            try await unread.channel.writeAndFlush(ByteBuffer(bytes: [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8]))
            await witness.wait(for: "closed /whole/20000000 reset(\(HTTP2FailureCode.cancel))")
            try await withClient { client in
                await #expect(throws: HTTP2ClientError.self) { try await self.fetch(client, server) }
                try await unread.channel.close()
                while (try? await self.fetch(client, server)) == nil { await Task.yield() }
            }
            #expect(server.breachCounts[.unsentBytes, default: 0] >= 1)
        }
    }

    private func fetch(_ client: HTTP2Client, _ server: HTTP2Server) async throws {
        let (head, _) = try await client.execute(
            request(.get, "/whole/50000"), to: server.address, timeout: .seconds(5), bodyByteCountMax: 50_000)
        #expect(head.status == .ok)
    }
}
