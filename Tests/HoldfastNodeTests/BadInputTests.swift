import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import HoldfastNode

/// Whatever is sent: it is refused by name, and neither the log nor anybody else notices.
@Suite(.timeLimit(.minutes(1))) struct BadInputTests {
    /// Around `body` another connection is open; the log has what came over that, and nothing else.
    private func with(_ body: (Listener) async throws -> Void) async throws {
        try await Listener.with { listener in
            let other = HoldfastClient(servers: [listener.address])
            listener.log.setPeers(FakeLog.peers(ports: [listener.server.port, 1]))
            let session = try await other.openSession()
            #expect(try await session.send([Record("before")]).receipt.first == LogIndex(1))
            do { try await body(listener) } catch {
                await other.shutdown()
                throw error
            }
            #expect(try await session.send([Record("after")]).receipt.first == LogIndex(2))
            try await session.finish()
            await other.shutdown()
            #expect(listener.log.values == ["before", "after"])
            #expect(listener.log.memberRequests.isEmpty)
        }
    }

    @Test func `every mistaken request gets its status, its code and words, and changes nothing`() async throws {
        #expect(BadRequest.all.count > 190)
        try await self.with { listener in
            for request in BadRequest.all {
                let answer = try await listener.fetch(
                    request.method, request.path, request.headerFields, body: request.body.map { ByteBuffer(bytes: $0) }
                )
                let text = String(buffer: answer.body)
                #expect(answer.head.status.code == request.status, "\(request): \(text)")
                #expect(answer.head.headerFields[.contentType] == "application/problem+json", "\(request)")
                #expect((request.status == 405) == (answer.head.headerFields[.allow] != nil), "\(request)")
                guard request.method != .head else { continue }
                let problem = try #require(ProblemDocument(json: Array(text.utf8)), "\(request): \(text)")
                #expect(
                    problem.code == request.code.rawValue && problem.status == request.status, "\(request): \(text)")
                #expect(problem.detail.contains(request.words), "\(request): \(text)")
                #expect(!problem.hint.isEmpty && !problem.requestID.isEmpty, "\(request): \(text)")
                #expect(problem.applied == .no, "\(request): \(text)")
                let leaks = ["CodingKey", "Swift", "decode", "Optional", "nil", "debugDescription"]
                #expect(!leaks.contains { problem.detail.contains($0) }, "\(request): \(problem.detail)")
            }
        }
    }

    private static let sessions: [([UInt8], String)] = [
        ([0xFF, 0xFF, 0xFF, 0xFF], "does not consist of batches"), ([1, 0, 0, 0, 9], "does not consist of batches"),
        ([0, 0, 0, 0], "does not consist of batches"),
        (Array("GET / HTTP/1.1\r\n\r\n".utf8), "does not consist of batches"),
        (Array("{\"records\":[]}".utf8), "does not consist of batches"), ([9, 0, 0], "ended within a batch"),
        ([12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "do not fit"),
        ([12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], "sequence 0"),
        ([12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255], "4294967295 records"),
        ([13, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4], "do not fit"),
        ([15, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 99], "do not fit"),
        ([16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7], "do not fit"),
    ]

    @Test func `a session of garbage ends with a problem, and changes nothing`() async throws {
        try await self.with { listener in
            for (bytes, words) in Self.sessions {
                let answer = try await listener.fetch(
                    .post, "/v1/records", [.contentType: SessionBatch.contentType, .holdfastProducer: "7"],
                    body: ByteBuffer(bytes: bytes))
                var rest = answer.body
                let last = try SessionAnswer.next(from: &rest)
                guard case .failed(_, let problem) = last, rest.readableBytes == 0 else {
                    Issue.record("\(bytes): \(String(describing: last))")
                    continue
                }
                #expect([400, 413].contains(problem.status) && problem.applied == .no, "\(bytes)")
                #expect(problem.detail.contains(words), "\(bytes): \(problem.detail)")
            }
        }
    }

    @Test func `a body that is longer or shorter than it was announced resets its stream`() async throws {
        try await self.with { listener in
            for length in ["1", "9"] {
                await #expect(throws: HTTP2ClientError.self, "\(length)") {
                    try await listener.fetch(
                        .post, "/v1/records", [.contentLength: length], body: ByteBuffer(string: "four"))
                }
            }
        }
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    private static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
    private static let goAway: UInt8 = 7

    /// What is said first, and what the answer must hold; nothing: the connection is closed without a word.
    private static let connections: [(name: String, bytes: [UInt8], answer: [UInt8])] = [
        ("HTTP/1.1", Array("GET /v1/records HTTP/1.1\r\nHost: x\r\n\r\n".utf8), Array("HTTP/1.1 426 ".utf8)),
        ("HTTP/1.0", Array("POST / HTTP/1.0\r\n\r\n".utf8), Array("HTTP/1.1 426 ".utf8)),
        ("half a preface that goes wrong", Array("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".utf8), Array("HTTP/1.1 426 ".utf8)),
        ("a TLS hello", [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3], Array("HTTP/1.1 426 ".utf8)),
        ("zeros", [UInt8](repeating: 0, count: 64), []),
        ("noise", (0..<512).map { UInt8(truncatingIfNeeded: 200 &+ $0 &* 37) }, []), ("a line end", [13, 10], []),
        ("a frame that is no SETTINGS first", Self.preface + [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1], [Self.goAway]),
        ("a frame over the limit", Self.preface + Self.settings + [255, 255, 255, 0, 0, 0, 0, 0, 1], [Self.goAway]),
        ("SETTINGS of five bytes", Self.preface + [0, 0, 5, 4, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5], [Self.goAway]),
        ("DATA on stream 0", Self.preface + Self.settings + [0, 0, 1, 0, 1, 0, 0, 0, 0, 97], [Self.goAway]),
        (
            "headers that are no HPACK", Self.preface + Self.settings + [0, 0, 2, 1, 5, 0, 0, 0, 1, 0xFF, 0xFF],
            [Self.goAway]
        ),
        ("an even stream", Self.preface + Self.settings + [0, 0, 1, 1, 5, 0, 0, 0, 2, 0x82], [Self.goAway]),
        ("a credit of 0", Self.preface + Self.settings + [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0], [Self.goAway]),
    ]

    @Test func `what is no HTTP/2 is told so or closed, and half-open connections keep nobody waiting`() async throws {
        try await self.with { listener in
            let silent = try await RawPeer.connect(to: listener.server.port, saying: [])
            let half = try await RawPeer.connect(to: listener.server.port, saying: Array(Self.preface.prefix(9)))
            for (name, bytes, answer) in Self.connections {
                let peer = try await RawPeer.connect(to: listener.server.port, saying: bytes)
                let said = try await peer.untilClosed()
                if answer == [Self.goAway] {
                    #expect(RawPeer.frameTypes(of: said).contains(Self.goAway), "\(name): \(said)")
                } else {
                    #expect(answer.isEmpty ? said.isEmpty : said.starts(with: answer), "\(name): \(said)")
                }
            }
            #expect(try await listener.ask(.get, "/v1/cluster").status == 200)
            for peer in [silent, half] { try? await peer.close() }
        }
    }
}

/// A socket that says what it is told and keeps what it hears.
private struct RawPeer {
    private final class Ear: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let heard = Mutex<[UInt8]>([])

        var bytes: [UInt8] { self.heard.withLock { $0 } }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(Self.unwrapInboundIn(data).readableBytesView)
            self.heard.withLock { $0 += bytes }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let channel: any Channel
    private let ear: Ear

    static func connect(to port: Int, saying bytes: [UInt8]) async throws -> RawPeer {
        let ear = Ear()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in channel.pipeline.addHandler(ear) }
            .connect(host: "127.0.0.1", port: port).get()
        if !bytes.isEmpty { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
        return RawPeer(channel: channel, ear: ear)
    }

    /// What was heard until the other side closed.
    func untilClosed() async throws -> [UInt8] {
        try await self.channel.closeFuture.get()
        return self.ear.bytes
    }

    func close() async throws { try await self.channel.close() }

    static func frameTypes(of bytes: [UInt8]) -> [UInt8] {
        var types: [UInt8] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            types.append(head[3])
            rest = rest.dropFirst(9 + (Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])))
        }
        return types
    }
}
