import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import Logging
import NIOCore
import Synchronization
import Testing

@testable import HoldfastNode

/// Gathers answers, and gives no credit for them before it is told to.
private final class LateReader: HTTP2ClientHandler {
    private let ended: EventLoopPromise<ByteBuffer>
    private var answers = ByteBuffer()
    private var isReading = false

    init(_ ended: EventLoopPromise<ByteBuffer>) { self.ended = ended }

    func read(_ stream: HTTP2Stream) {
        self.isReading = true
        stream.consumed(self.answers.readableBytes)
    }

    func received(head: HTTPResponse, on stream: HTTP2Stream) {}
    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        self.answers.writeImmutableBuffer(body)
        if self.isReading { stream.consumed(body.readableBytes) }
    }
    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) { self.ended.succeed(self.answers) }
    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) { self.ended.fail(ChannelError.eof) }
}

@Suite(.timeLimit(.minutes(1))) struct SessionEndTests {
    /// Answers of 44 bytes each: several times what the window and the server's buffer take.
    private static let batchCount = 20_000
    private static let windowByteCount = 65_535

    @Test func `a client that reads nothing may end its half: what is unread is taken once it reads`() async throws {
        try await Listener.with { listener in
            let loop = listener.client.eventLoop
            var limits = HTTP2Limits()
            limits.session.streamWindowByteCount = UInt32(Self.windowByteCount)
            let connection = try await HTTP2Connection.connect(
                host: "127.0.0.1", port: listener.server.port, on: loop, limits: limits,
                logger: Logger(label: "x") { _ in SwiftLogNoOpLogHandler() }
            ).get()
            let ended = loop.makePromise(of: ByteBuffer.self)
            let reader = NIOLoopBoundBox.makeBoxSendingValue(LateReader(ended), eventLoop: loop)
            let stream = try await loop.submit { Self.open(connection, reader.value) }.get()
            // Its answers are more than the server may hold: it takes no further batch now.
            let heldCount = (Self.windowByteCount + (256 << 10)) / SessionAnswer.acknowledgementByteCount
            while listener.log.values.count < heldCount { try await Task.sleep(for: .milliseconds(5)) }
            #expect(listener.log.values.count < Self.batchCount)
            stream.execute { reader.value.read($0) }
            let answers = try await ended.futureResult.get()
            #expect(answers.readableBytes == Self.batchCount * SessionAnswer.acknowledgementByteCount)
            #expect(listener.log.values.count == Self.batchCount)
            connection.close()
        }
    }

    /// Sends all batches and the end behind them.
    private static func open(_ connection: HTTP2Connection, _ reader: LateReader) -> HTTP2StreamReference {
        let head = HTTPRequest(
            method: .post, scheme: "http", authority: "test", path: "/v1/records",
            headerFields: [.contentType: SessionBatch.contentType, .holdfastProducer: "7"])
        let stream = connection.open(head, handler: reader)
        stream.isManualCredit = true
        var batches = ByteBuffer()
        for sequence in 1...UInt64(self.batchCount) {
            var batch = SessionBatch.encode([Record("x")])
            SessionBatch.number(&batch, as: sequence)
            batches.writeBuffer(&batch)
        }
        stream.send(batches, endStream: true)
        return stream.reference
    }
}
