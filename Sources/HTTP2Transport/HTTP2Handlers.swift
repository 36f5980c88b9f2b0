import HTTP2Session
import HTTPTypes
import NIOCore

/// Answers one request. Made per accepted stream; called on its event loop only.
///
/// Of one stream come: `received(head:)`, or `receivedTooLargeHead` in its place and nothing else, any number of `received(body:)`, `receivedEnd`; and `closed`, exactly once
/// and last, whatever happens. Sending, resetting and closing are allowed in all of them.
package protocol HTTP2ServerHandler: AnyObject {
    func received(head: HTTPRequest, on stream: HTTP2Stream)
    /// `body` shares the memory of the read it came in: copy what is kept for long.
    func received(body: ByteBuffer, on stream: HTTP2Stream)
    func receivedEnd(on stream: HTTP2Stream)
    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream)
    /// The stream was not writable and is again.
    func becameWritable(on stream: HTTP2Stream)
    /// The header fields were over the limit, and are gone: to be answered with 431.
    func receivedTooLargeHead(on stream: HTTP2Stream)
    /// The connection may ask for nothing here; this comes in place of a head, and nothing else follows but `closed`.
    func received(refusal: TLSRefusal, on stream: HTTP2Stream)
}

extension HTTP2ServerHandler {
    package func becameWritable(on stream: HTTP2Stream) {}
    package func receivedTooLargeHead(on stream: HTTP2Stream) {
        stream.respond(HTTPResponse(status: .requestHeaderFieldsTooLarge))
    }
    package func received(refusal: TLSRefusal, on stream: HTTP2Stream) {
        stream.respond(HTTPResponse(status: .forbidden), body: ByteBuffer(string: "\(refusal.answer)\n"))
    }
}

/// Takes the response to one request; called on the connection's event loop only, in the same order.
package protocol HTTP2ClientHandler: AnyObject {
    func received(head: HTTPResponse, on stream: HTTP2Stream)
    /// `body` shares the memory of the read it came in: copy what is kept for long.
    func received(body: ByteBuffer, on stream: HTTP2Stream)
    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream)
    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream)
    /// The stream was not writable and is again.
    func becameWritable(on stream: HTTP2Stream)
}

extension HTTP2ClientHandler {
    package func becameWritable(on stream: HTTP2Stream) {}
}

/// How a stream ended.
package enum HTTP2CloseReason: Hashable, Sendable {
    /// Both sides said all they had to say (a server may end before it has read all of the request).
    case finished
    /// Client: the peer certainly did not act on the request; it may be sent again.
    case refused
    /// The peer, or the protocol, gave the stream up.
    case reset(HTTP2FailureCode)
    /// The connection is gone.
    case connectionLost
    /// This side reset it.
    case cancelled
    /// This side reset it since the peer made no progress.
    case timedOut
}
