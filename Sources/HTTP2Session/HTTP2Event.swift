/// The number of a stream: odd, opened by the client, ascending.
package typealias HTTP2StreamID = Int32

/// One header field as it crosses the wire: lower-case name, pseudo-headers first.
package struct HTTP2Field: Hashable, Sendable {
    package var name: String
    package var value: String
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What ``HTTP2Session/receive(_:now:)`` and ``HTTP2Session/drain(byteCountMax:)`` found out, in order.
///
/// Of one stream come at most: `head`, any number of `body`, `end`; and `closed`, once and last.
package enum HTTP2Event: Hashable, Sendable {
    /// A request (server) or the final response (client).
    case head(HTTP2StreamID, [HTTP2Field])
    /// The header list was over the limit and was dropped; a server should answer 431.
    case headTooLarge(HTTP2StreamID)
    /// Body bytes, as a range of the input that the last `receive` was given. They count against the stream's and the
    /// connection's window until ``HTTP2Session/consume(_:byteCount:)``, also when the stream closes meanwhile.
    case body(HTTP2StreamID, Range<Int>)
    /// The peer has sent all it will send on this stream.
    case end(HTTP2StreamID, trailers: [HTTP2Field])
    /// The stream is gone. `isUnprocessed`: the peer cannot have acted on the request.
    case closed(HTTP2StreamID, HTTP2FailureCode, isUnprocessed: Bool)
    /// The peer takes no more requests after `lastStream`.
    case goAway(lastStream: HTTP2StreamID, HTTP2FailureCode, debug: String)
    /// The peer's settings are in force.
    case settings
    /// The answer to ``HTTP2Session/ping(_:)``.
    case pong(UInt64)
}
