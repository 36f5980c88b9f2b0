import HTTP2Session
import HTTP2Transport
import HTTPTypes
import NIOCore
import NIOPosix
import Testing

/// Raw sockets against a server with short deadlines.
@Suite(.timeLimit(.minutes(1))) struct DeadlineTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
    private static let authority: [UInt8] = [0x01, 1, 0x6e]

    /// Only one deadline is short, so that a busy machine cannot trip another.
    private func limits(_ deadline: WritableKeyPath<HTTP2Limits, UInt64>) -> HTTP2Limits {
        var limits = HTTP2Limits()
        for other in [
            \HTTP2Limits.prefaceMilliseconds, \.headersMilliseconds, \.idleMilliseconds, \.bodyProgressMilliseconds,
            \.unreadMilliseconds,
        ] { limits[keyPath: other] = 60_000 }
        limits[keyPath: deadline] = 40
        return limits
    }

    /// Gathers what arrives until the server closes.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private var bytes: [UInt8] = []
        private let promise: EventLoopPromise<[UInt8]>
        init(_ promise: EventLoopPromise<[UInt8]>) { self.promise = promise }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.bytes += Self.unwrapInboundIn(data).readableBytesView
        }
        func channelInactive(context: ChannelHandlerContext) { self.promise.succeed(self.bytes) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// Sends `bytes` and returns all that comes back until the server closes.
    private func exchange(_ server: HTTP2Server, _ bytes: [UInt8], reads: Bool = true) async throws -> [UInt8] {
        let loop = loops.next()
        let promise = loop.makePromise(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: 4_096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(promise))
                }
            }
            .connect(host: "127.0.0.1", port: server.port).get()
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        return try await promise.futureResult.get()
    }

    /// Types of the frames in `bytes`.
    private func frameTypes(_ bytes: [UInt8]) -> [UInt8] {
        var (types, rest): ([UInt8], ArraySlice<UInt8>) = ([], bytes[...])
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            types.append(head[3])
            rest = rest.dropFirst(9 + Int(head[0]) << 16 + Int(head[1]) << 8 + Int(head[2]))
        }
        return types
    }

    @Test func `a silent connection is closed`() async throws {
        try await withServer(limits: self.limits(\.prefaceMilliseconds)) { server, _ in
            let toNothing = try await self.exchange(server, [])
            #expect(toNothing == [])
            let toAPart = try await self.exchange(server, Array("PRI * HT".utf8))
            #expect(toAPart == [])
        }
    }

    @Test func `an idle connection is told to go`() async throws {
        try await withServer(limits: self.limits(\.idleMilliseconds)) { server, _ in
            let bytes = try await self.exchange(server, Self.preface)
            #expect(self.frameTypes(bytes).last == 7, "GOAWAY")
        }
    }

    @Test func `a header block that never ends is cut`() async throws {
        try await withServer(limits: self.limits(\.headersMilliseconds)) { server, _ in
            let bytes = try await self.exchange(server, Self.preface + [0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82])
            #expect(self.frameTypes(bytes).last == 7, "GOAWAY")
        }
    }

    @Test func `a body that does not go on resets its stream`() async throws {
        try await withServer(limits: self.limits(\.bodyProgressMilliseconds)) { server, witness in
            // POST /count by literals, then 1 of the promised bytes.
            let head: [UInt8] = [0x83, 0x86, 0x04, 6] + Array("/count".utf8) + Self.authority
            let frames: [UInt8] =
                [0, 0, UInt8(head.count), 1, 4, 0, 0, 0, 1] + head + [0, 0, 1, 0, 0, 0, 0, 0, 1, 0x61]
            async let answer = self.exchange(server, Self.preface + frames)
            await witness.wait(for: "closed /count timedOut")
            await server.shutdown(grace: .milliseconds(100))
            let bytes = try await answer
            #expect(self.frameTypes(bytes).contains(3), "RST_STREAM")
        }
    }

    @Test func `a response that nobody takes is given up`() async throws {
        try await withServer(limits: self.limits(\.unreadMilliseconds)) { server, witness in
            // GET /bytes/1000000, whose window of 65,535 is never opened.
            let path = Array("/bytes/1000000".utf8)
            let head: [UInt8] = [0x82, 0x86, 0x04, UInt8(path.count)] + path + Self.authority
            let frames: [UInt8] = [0, 0, UInt8(head.count), 1, 5, 0, 0, 0, 1] + head
            async let answer = self.exchange(server, Self.preface + frames)
            await witness.wait(for: "closed /bytes/1000000 timedOut")
            await server.shutdown(grace: .milliseconds(100))
            let bytes = try await answer
            #expect(bytes.count > 65_535)
            #expect(self.frameTypes(bytes).contains(3), "RST_STREAM")
        }
    }

    @Test func `a flood is stopped and others are served`() async throws {
        try await withServer { server, _ in
            let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            let flood = Self.preface + Array(repeating: ping, count: 1_000).joined()
            async let stopped = self.exchange(server, flood)
            try await withClient { client in
                let (head, _) = try await client.execute(
                    request(.get, "/hello"), to: server.address, timeout: .seconds(5), bodyByteCountMax: 100)
                #expect(head.status == .ok)
            }
            let bytes = try await stopped
            #expect(self.frameTypes(bytes).last == 7, "GOAWAY")
        }
    }

    @Test func `connections over the limit are closed at once`() async throws {
        var limits = HTTP2Limits()
        limits.connectionsMax = 1
        try await withServer(limits: limits) { server, _ in
            try await withClient { client in
                _ = try await client.execute(
                    request(.get, "/hello"), to: server.address, timeout: .seconds(5), bodyByteCountMax: 100)
                let answer = try await self.exchange(server, Self.preface)
                #expect(answer == [])
                #expect(server.connectionCount == 1)
            }
        }
    }
}
