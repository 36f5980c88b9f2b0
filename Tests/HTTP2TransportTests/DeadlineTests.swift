import HTTP2Session
import HTTP2Transport
import HTTPTypes
import NIOCore
import NIOPosix
import Testing

/// Raw sockets against a server with short deadlines.
@Suite(.timeLimit(.minutes(1))) struct DeadlineTests {
    private static let preface = NarrowChannel.preface + [0, 0, 0, 4, 0, 0, 0, 0, 0]
    private static let acknowledgement: [UInt8] = [0, 0, 0, 4, 1, 0, 0, 0, 0]
    private static let authority = NarrowChannel.authority

    private static func headers(on stream: UInt8, flags: UInt8, _ block: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(block.count), 1, flags, 0, 0, 0, stream] + block
    }

    /// Only one deadline is short, so that a busy machine cannot trip another.
    private func limits(_ deadline: WritableKeyPath<HTTP2Limits, UInt64>) -> HTTP2Limits {
        var limits = HTTP2Limits()
        for other in [
            \HTTP2Limits.prefaceMilliseconds, \.headersMilliseconds, \.idleMilliseconds, \.bodyProgressMilliseconds,
            \.unreadMilliseconds, \.settingsMilliseconds, \.silenceMilliseconds,
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
    ///
    /// - Parameter drip: Sent every 10 ms from then on.
    private func exchange(
        _ server: HTTP2Server, _ bytes: [UInt8], drip: [UInt8] = [], reads: Bool = true
    ) async throws -> [UInt8] {
        let loop = loops.next()
        let promise = loop.makePromise(of: [UInt8].self)
        let channel = try await NarrowChannel.connect(to: server, on: loop, reads: reads) { Collector(promise) }
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        if !drip.isEmpty {
            let dripping = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(10)) { _ in
                channel.writeAndFlush(ByteBuffer(bytes: drip), promise: nil)
            }
            channel.closeFuture.whenComplete { _ in dripping.cancel() }
        }
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
            #expect(server.breachCounts == [.prefaceDeadline: 2])
        }
    }

    @Test func `settings that are not acknowledged end a connection`() async throws {
        try await withServer(limits: self.limits(\.settingsMilliseconds)) { server, _ in
            let bytes = try await self.exchange(server, Self.preface)
            #expect(self.frameTypes(bytes).last == 7 && bytes.last == 4, "GOAWAY, SETTINGS_TIMEOUT")
            #expect(server.breachCounts == [.settingsDeadline: 1])
        }
    }

    @Test func `a silent peer with an open stream is asked, and cut off when it does not answer`() async throws {
        var limits = self.limits(\.silenceMilliseconds)
        limits.probeMilliseconds = 40
        try await withServer(limits: limits) { server, witness in
            let head: [UInt8] = [0x83, 0x86, 0x04, 5] + Array("/long".utf8) + Self.authority
            let frames = Self.headers(on: 1, flags: 4, head)
            let bytes = try await self.exchange(server, Self.preface + Self.acknowledgement + frames)
            #expect(self.frameTypes(bytes).last == 6, "PING")
            #expect(server.breachCounts == [.silence: 1])
            // The peer sees the end of the socket first.
            await witness.wait(for: "closed /long connectionLost")
        }
    }

    @Test func `an idle connection is told to go`() async throws {
        try await withServer(limits: self.limits(\.idleMilliseconds)) { server, _ in
            let bytes = try await self.exchange(server, Self.preface)
            #expect(self.frameTypes(bytes).last == 7, "GOAWAY")
        }
    }

    @Test func `a connection that is to be kept may be idle for longer`() async throws {
        var limits = self.limits(\.idleMilliseconds)
        limits.keptIdleMilliseconds = 200
        try await withServer(limits: limits) { server, _ in
            let frames = Self.headers(on: 1, flags: 5, [0x82, 0x86, 0x04, 5] + Array("/keep".utf8) + Self.authority)
            let started = NIODeadline.now()
            let bytes = try await self.exchange(server, Self.preface + frames)
            #expect(self.frameTypes(bytes).last == 7, "GOAWAY")
            #expect(NIODeadline.now() - started >= .milliseconds(200))
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

    @Test func `a body that drips in resets its stream, too, and many such streams end the connection`() async throws {
        var limits = self.limits(\.bodyProgressMilliseconds)
        limits.stalls = RateBudget(burst: 1, perSecond: 0)
        try await withServer(limits: limits) { server, witness in
            let head: [UInt8] = [0x83, 0x86, 0x04, 6] + Array("/count".utf8) + Self.authority
            let frames = [UInt8(1), 3].flatMap { Self.headers(on: $0, flags: 4, head) }
            let byte: [UInt8] = [0, 0, 1, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 0, 0, 0, 0, 3, 0x61]
            let bytes = try await self.exchange(server, Self.preface + frames, drip: byte)
            #expect(self.frameTypes(bytes).last == 7 && bytes.last == 11, "GOAWAY, ENHANCE_YOUR_CALM")
            #expect(server.breachCounts == [.bodyDeadline: 1, .stalls: 1])
            await witness.wait(for: "closed /count timedOut")
            #expect(witness.count("closed /count timedOut") == 1)
        }
    }

    @Test func `a response that is taken byte by byte is given up, too`() async throws {
        try await withServer(limits: self.limits(\.unreadMilliseconds)) { server, witness in
            // SETTINGS_INITIAL_WINDOW_SIZE 0, and a window that opens by 1.
            let settings: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]
            let path = Array("/bytes/1000000".utf8)
            let head: [UInt8] = [0x82, 0x86, 0x04, UInt8(path.count)] + path + Self.authority
            let frames = Self.headers(on: 1, flags: 5, head)
            let update: [UInt8] = [0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0, 1]
            async let answer = self.exchange(server, Self.preface + settings + frames, drip: update)
            await witness.wait(for: "closed /bytes/1000000 timedOut")
            #expect(server.breachCounts == [.unreadDeadline: 1])
            await server.shutdown(grace: .milliseconds(100))
            let bytes = try await answer
            #expect(self.frameTypes(bytes).contains(0), "DATA, byte by byte")
        }
    }

    @Test func `responses that nobody reads are not gathered without end, and others are served`() async throws {
        var limits = HTTP2Limits()
        limits.unsentByteCountMax = 2 << 20
        limits.listenerUnsentByteCountMax = 1 << 20
        limits.unsentByteCountShare = 100
        limits.smallBodyByteCount = 10
        try await withServer(limits: limits) { server, witness in
            let path = Array("/bytes/10000000".utf8)
            let head: [UInt8] = [0x82, 0x86, 0x04, UInt8(path.count)] + path + Self.authority
            let streams = (0..<100).flatMap { Self.headers(on: 2 * $0 + 1, flags: 5, head) }
            async let answer = self.exchange(server, Self.preface + streams)
            await witness.wait(for: "closed /bytes/10000000 cancelled")
            try await withClient { client in
                let (head, _) = try await client.execute(
                    request(.get, "/hello"), to: server.address, timeout: .seconds(5), bodyByteCountMax: 100)
                #expect(head.status == .ok)
            }
            #expect(server.breachCounts[.unsentBytes, default: 0] >= 90)
            await server.shutdown(grace: .milliseconds(100))
            _ = try await answer
        }
    }

    @Test func `a client that closes its half is gone`() async throws {
        try await withServer { server, witness in
            let head: [UInt8] = [0x83, 0x86, 0x04, 5] + Array("/long".utf8) + Self.authority
            let frames = Self.headers(on: 1, flags: 4, head)
            let channel = try await ClientBootstrap(group: loops.next())
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(host: "127.0.0.1", port: server.port).get()
            try await channel.writeAndFlush(ByteBuffer(bytes: Self.preface + frames))
            await witness.wait(for: "head /long")
            try await channel.close(mode: .output)
            await witness.wait(for: "closed /long connectionLost")
            try? await channel.close()
        }
    }

    @Test func `a response that nobody takes is given up`() async throws {
        try await withServer(limits: self.limits(\.unreadMilliseconds)) { server, witness in
            // GET /bytes/1000000, whose window of 65,535 is never opened.
            let path = Array("/bytes/1000000".utf8)
            let head: [UInt8] = [0x82, 0x86, 0x04, UInt8(path.count)] + path + Self.authority
            let frames = Self.headers(on: 1, flags: 5, head)
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
            #expect(server.breachCounts == [.pings: 1])
        }
    }

    @Test(arguments: [false, true])
    func `connections over the limit are closed at once`(ofOneAddress: Bool) async throws {
        var limits = HTTP2Limits()
        if ofOneAddress { limits.connectionsPerAddressMax = 1 } else { limits.connectionsMax = 1 }
        try await withServer(limits: limits) { server, _ in
            try await withClient { client in
                _ = try await client.execute(
                    request(.get, "/hello"), to: server.address, timeout: .seconds(5), bodyByteCountMax: 100)
                let answer = try await self.exchange(server, Self.preface)
                #expect(answer == [])
                #expect(server.connectionCount == 1)
                #expect(server.breachCounts.values.reduce(0, +) == 1)
            }
        }
    }
}
