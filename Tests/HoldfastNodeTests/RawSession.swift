import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import HoldfastNode

/// A session byte by byte: each piece leaves as it is given.
struct RawSession {
    private let connection: HTTP2Connection
    private let stream: HTTP2StreamReference
    private var answers: AsyncStream<SessionAnswer>.Iterator

    /// - Parameter fields: Further ones of its request.
    static func open(at listener: Listener, _ fields: HTTPFields = [:]) async throws -> RawSession {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let (answers, continuation) = AsyncStream.makeStream(of: SessionAnswer.self)
        let connection = try await HTTP2Connection.connect(
            host: "127.0.0.1", port: listener.server.port, on: loop, logger: logger
        ).get()
        var fields = fields
        fields[.contentType] = SessionBatch.contentType
        fields[.holdfastProducer] = "7"
        let request = HTTPRequest(
            method: .post, scheme: "http", authority: "test", path: "/v1/records",
            headerFields: fields)
        let stream = try await loop.submit {
            connection.open(request, handler: Handler(continuation)).reference
        }.get()
        return RawSession(connection: connection, stream: stream, answers: answers.makeAsyncIterator())
    }

    func send(_ bytes: ByteBuffer) { self.stream.execute { $0.send(bytes) } }

    mutating func next() async -> SessionAnswer? { await self.answers.next() }

    mutating func receipts(_ count: Int) async throws -> [AppendReceipt] {
        var receipts: [AppendReceipt] = []
        while receipts.count < count {
            let answer = try #require(await self.next())
            guard case .acknowledged(_, let receipt) = answer else { throw Refused(answer: answer) }
            receipts.append(receipt)
        }
        return receipts
    }

    func finish() {
        self.stream.execute { $0.finish() }
        self.connection.close()
    }

    private struct Refused: Error { var answer: SessionAnswer }

    private final class Handler: HTTP2ClientHandler {
        private let continuation: AsyncStream<SessionAnswer>.Continuation
        private var input = ByteBuffer()

        init(_ continuation: AsyncStream<SessionAnswer>.Continuation) { self.continuation = continuation }

        func received(head: HTTPResponse, on stream: HTTP2Stream) {}
        func received(body: ByteBuffer, on stream: HTTP2Stream) {
            self.input.add(body)
            while let answer = try? SessionAnswer.next(from: &self.input) { self.continuation.yield(answer) }
        }
        func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {}
        func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) { self.continuation.finish() }
    }
}
