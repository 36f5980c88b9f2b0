import HTTP2Transport
import HTTPTypes
import HoldfastAdmin
import NIOCore

/// One request that is passed on: its answer begins a stream, which gets as much as its reader has taken.
///
/// Event loop only.
final class DoorExchange: HTTP2ClientHandler {
    /// Both are given away with the answer, so that the stream ends once whoever has it lets go of it.
    private var answer: EventLoopPromise<DoorAnswer>?
    /// Holds a window's worth at most.
    private var body: AsyncThrowingStream<ByteBuffer, any Error>?
    private let continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation
    private let ended: () -> Void

    private init(answer: EventLoopPromise<DoorAnswer>, ended: @escaping () -> Void) {
        self.answer = answer
        self.ended = ended
        (self.body, self.continuation) = AsyncThrowingStream.makeStream()
    }

    /// - Parameter ended: Called on the event loop once the answer has come whole, or comes no further.
    /// - Returns: The stream, for whoever gives the request up before its answer begins.
    static func begin(
        _ head: HTTPRequest, body: [ByteBuffer], on connection: HTTP2Connection,
        answer: EventLoopPromise<DoorAnswer>, ended: @escaping () -> Void
    ) -> HTTP2Stream {
        let exchange = DoorExchange(answer: answer, ended: ended)
        let stream = connection.open(head, handler: exchange, endStream: body.isEmpty)
        // What the reader has not taken stays at the other side, but for one window.
        stream.isManualCredit = true
        stream.isLongLived = true
        let reference = stream.reference
        exchange.continuation.onTermination = { _ in reference.execute { $0.reset(.cancel) } }
        for (number, piece) in body.enumerated() { stream.send(piece, endStream: number == body.count - 1) }
        return stream
    }

    func received(head: HTTPResponse, on stream: HTTP2Stream) {
        guard let answer = self.answer.take(), let body = self.body.take() else { return }
        let reference = stream.reference
        answer.succeed(
            DoorAnswer(head: head, body: body) { count in reference.execute { $0.consumed(count) } })
    }

    func received(body: ByteBuffer, on stream: HTTP2Stream) { self.continuation.yield(body) }

    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) { self.continuation.finish() }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        let failure: DoorFailure =
            switch reason {
            case .refused: .unsent
            case .cancelled: .givenUp
            default: .lost
            }
        self.answer.take()?.fail(failure)
        self.continuation.finish(throwing: failure)
        self.ended()
    }
}
