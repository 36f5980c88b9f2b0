import HTTP2Session
import HTTP2Transport
import HTTPTypes
import NIOCore
import NIOPosix
import Testing

@Suite(.timeLimit(.minutes(1))) struct HTTP2ClientTests {
    @Test func `a request is answered`() async throws {
        try await withServer { server, witness in
            try await withClient { client in
                let (head, body) = try await client.execute(
                    request(.get, "/hello"), to: server.address, timeout: .seconds(10), bodyByteCountMax: 100)
                #expect(head.status == .ok)
                #expect(String(buffer: body) == "hello\n")
            }
        }
    }

    @Test func `many requests at once share one connection`() async throws {
        try await withServer { server, witness in
            try await withClient { client in
                try await withThrowingTaskGroup(of: String.self) { group in
                    for number in 0..<1_000 {
                        group.addTask {
                            let body = ByteBuffer(repeating: 1, count: number)
                            let (_, answer) = try await client.execute(
                                request(.post, "/count"), body: body, to: server.address, timeout: .seconds(30),
                                bodyByteCountMax: 100)
                            return "\(number)\n" == String(buffer: answer) ? "right" : "wrong"
                        }
                    }
                    for try await answer in group { #expect(answer == "right") }
                }
                #expect(server.connectionCount == 1)
                #expect(!witness.events.contains("closed twice"))
            }
        }
    }

    @Test func `10 MB go up and come back`() async throws {
        try await withServer { server, _ in
            try await withClient { client in
                let body = ByteBuffer(
                    bytes: [UInt8](unsafeUninitializedCapacity: 10_000_000) { bytes, count in
                        for offset in 0..<10_000_000 { bytes[offset] = UInt8(truncatingIfNeeded: offset / 7) }
                        count = 10_000_000
                    })
                let (_, answer) = try await client.execute(
                    request(.post, "/echo"), body: body, to: server.address, timeout: .seconds(30),
                    bodyByteCountMax: 10_000_000)
                #expect(answer == body)
            }
        }
    }

    @Test func `an answer over the limit is cut off`() async throws {
        try await withServer { server, witness in
            try await withClient { client in
                await #expect(throws: HTTP2ClientError.bodyTooLarge(limit: 1_000)) {
                    _ = try await client.execute(
                        request(.get, "/bytes/100000000"), to: server.address, timeout: .seconds(10),
                        bodyByteCountMax: 1_000)
                }
                await witness.wait(for: "closed /bytes/100000000 \(HTTP2CloseReason.reset(.cancel))")
            }
        }
    }

    @Test func `a silent handler times out with an unknown outcome and the stream is reset`() async throws {
        try await withServer { server, witness in
            try await withClient { client in
                _ = try await client.execute(
                    request(.get, "/hello"), to: server.address, timeout: .seconds(30), bodyByteCountMax: 100)
                // On a busy machine a short time may be over before anything was sent.
                for milliseconds: Int64 in [100, 1_000, 10_000] where witness.count("head /hang") == 0 {
                    let error = await #expect(throws: HTTP2ClientError.self) {
                        _ = try await client.execute(
                            request(.get, "/hang"), to: server.address, timeout: .milliseconds(milliseconds),
                            bodyByteCountMax: 1)
                    }
                    #expect(error == .timedOut)
                    #expect(error?.isCertainlyUnprocessed == false)
                }
                await witness.wait(for: "closed /hang \(HTTP2CloseReason.reset(.cancel))")
            }
        }
    }

    @Test func `a cancelled task cancels its request`() async throws {
        try await withServer { server, witness in
            try await withClient { client in
                let task = Task {
                    try await client.execute(
                        request(.get, "/hang"), to: server.address, timeout: .seconds(30), bodyByteCountMax: 1)
                }
                await witness.wait(for: "head /hang")
                task.cancel()
                await #expect(throws: HTTP2ClientError.cancelled) { _ = try await task.value }
                await witness.wait(for: "closed /hang \(HTTP2CloseReason.reset(.cancel))")
            }
        }
    }

    @Test func `nobody listening is certainly unprocessed and fails at once while backing off`() async throws {
        let address = try await withServer { server, _ in server.address }
        var limits = HTTP2Limits()
        limits.backoffMillisecondsMin = 60_000
        limits.backoffMillisecondsMax = 60_000
        try await withClient(limits: limits) { client in
            for _ in 0..<3 {
                let error = await #expect(throws: HTTP2ClientError.self) {
                    _ = try await client.execute(
                        request(.get, "/hello"), to: address, timeout: .seconds(10), bodyByteCountMax: 1)
                }
                guard case .unreachable(address, _) = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
                #expect(error?.isCertainlyUnprocessed == true)
            }
        }
    }

    @Test func `the connection is made again after the server was away`() async throws {
        var limits = HTTP2Limits()
        limits.backoffMillisecondsMin = 1
        limits.backoffMillisecondsMax = 5
        try await withClient(limits: limits) { client in
            let witness = Witness()
            func bind(_ port: Int) async throws -> HTTP2Server {
                try await HTTP2Server.bind(host: "127.0.0.1", port: port, on: loops, logger: quiet) { _ in
                    TestHandler(witness)
                }
            }
            let first = try await bind(0)
            let address = first.address
            func ask() async throws -> String {
                let (_, body) = try await client.execute(
                    request(.get, "/hello"), to: address, timeout: .seconds(10), bodyByteCountMax: 10)
                return String(buffer: body)
            }
            #expect(try await ask() == "hello\n")
            await first.shutdown(grace: .milliseconds(100))
            await #expect(throws: HTTP2ClientError.self) { try await ask() }
            let second = try await bind(address.port)
            var answer: String?
            while answer == nil {
                do { answer = try await ask() } catch let error as HTTP2ClientError {
                    try #require(error.isCertainlyUnprocessed)
                }
            }
            #expect(answer == "hello\n")
            await second.shutdown(grace: .milliseconds(100))
        }
    }

    @Test func `a connection lost after sending leaves the outcome unknown`() async throws {
        let listener = try await ServerBootstrap(group: loops)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(HangUp()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = HTTP2Address(host: "127.0.0.1", port: listener.localAddress?.port ?? 0)
        try await withClient { client in
            await #expect(throws: HTTP2ClientError.connectionLost) {
                _ = try await client.execute(
                    request(.get, "/hello"), to: address, timeout: .seconds(10), bodyByteCountMax: 1)
            }
        }
        try await listener.close()
    }

    /// Closes at the first bytes.
    private final class HangUp: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.close(promise: nil) }
    }

    @Test func `a peer that answers nothing at all is dropped after a probe`() async throws {
        let witness = Witness()
        let listener = try await ServerBootstrap(group: loops)
            .childChannelInitializer { channel in
                channel.closeFuture.whenComplete { _ in witness.note("closed") }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = HTTP2Address(host: "127.0.0.1", port: listener.localAddress?.port ?? 0)
        var limits = HTTP2Limits()
        limits.probeMilliseconds = 20
        try await withClient(limits: limits) { client in
            await #expect(throws: HTTP2ClientError.self) {
                _ = try await client.execute(
                    request(.get, "/hello"), to: address, timeout: .milliseconds(200), bodyByteCountMax: 1)
            }
            await witness.wait(for: "closed")
        }
        try await listener.close()
    }

    @Test func `after shutdown nothing is sent`() async throws {
        try await withServer { server, _ in
            let client = HTTP2Client(on: loops.next(), logger: quiet)
            await client.shutdown()
            await #expect(throws: HTTP2ClientError.cancelledUnsent) {
                _ = try await client.execute(
                    request(.get, "/hello"), to: server.address, timeout: .seconds(10), bodyByteCountMax: 1)
            }
        }
    }
}
