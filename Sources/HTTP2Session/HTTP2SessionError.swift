/// Why a session takes no more input. What it still wants to say (a GOAWAY) is in the output.
package enum HTTP2SessionError: Error, Hashable, Sendable {
    /// The client's first bytes are not HTTP/2.
    case badPreface
    /// The peer sent more of something than its rate allows; a GOAWAY with ENHANCE_YOUR_CALM is queued.
    case flood(HTTP2Flood)
    /// The peer broke the protocol; `code` is nghttp2's.
    case violation(code: Int32)
    /// The session has failed or is shutting down: nothing was submitted.
    case closed
    /// All 2^30 stream numbers are used: nothing was submitted, a new connection is needed.
    case streamsExhausted
    /// nghttp2 is out of memory.
    case outOfMemory
}

/// What a peer can send too much of.
package enum HTTP2Flood: String, Hashable, Sendable {
    case ping, settings, emptyData, reset, priority, windowUpdate, goAway, unknownFrame
    /// Answers to PINGs that nobody sent.
    case pong
    /// Whatever is passed over: DATA and HEADERS of streams that are gone, or that are not taken any more.
    case closedStream
    /// PINGs and SETTINGS whose answers it does not take.
    case acknowledgement
    /// Frames of one header block.
    case continuation
    /// Header lists over the limit, or one that is many times over it.
    case header
    /// Anything that has to be answered, while it takes no answers.
    case unread
}
