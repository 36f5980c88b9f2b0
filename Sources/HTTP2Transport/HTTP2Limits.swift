import HTTP2Session

/// Bounds of connections, servers and clients. Times in milliseconds.
package struct HTTP2Limits: Hashable, Sendable {
    package var session = HTTP2SessionLimits()

    /// Connections a server holds; more are closed at once.
    package var connectionsMax = 1_024
    /// From accepting (or connecting) to the peer's first SETTINGS; a TLS handshake is part of it.
    package var prefaceMilliseconds: UInt64 = 10_000
    /// From the start of a header block to its end.
    package var headersMilliseconds: UInt64 = 10_000
    /// Server: a connection without streams gets a GOAWAY after this time.
    package var idleMilliseconds: UInt64 = 20_000
    /// Server: a request body that does not go on for this time resets its stream, unless the stream is long-lived.
    package var bodyProgressMilliseconds: UInt64 = 15_000
    /// Server: bytes the peer does not take for this time reset the stream, or close the connection.
    package var unreadMilliseconds: UInt64 = 15_000
    /// Bytes that the peer's machine does not acknowledge for this time end the connection (Linux, RFC 5482).
    package var unacknowledgedMilliseconds: UInt64 = 15_000
    /// Client: for the TCP connection.
    package var connectMilliseconds: UInt64 = 2_000
    /// Client: for the TLS handshake, until the server has said something in it.
    package var handshakeMilliseconds: UInt64 = 5_000

    /// A stream is writable while it holds fewer unsent bytes; ``HTTP2Stream/send(_:endStream:)`` still takes more.
    package var streamBufferByteCount = 1 << 20
    /// A stream that was sent on with this much unsent is reset: its handler ignores ``HTTP2Stream/isWritable``.
    package var streamBufferByteCountMax = 64 << 20

    /// Client: a peer that was silent through a whole timed-out request has this long to answer a ping.
    package var probeMilliseconds: UInt64 = 2_000
    /// Client: requests of one connection under way; more are refused at once.
    package var pendingRequestsMax = 4_096
    /// Client: after a failed connect, requests fail at once for this time, doubled per failure ...
    package var backoffMillisecondsMin: UInt64 = 20
    /// ... up to this.
    package var backoffMillisecondsMax: UInt64 = 1_000

    package init() {}

    /// For listeners that anybody may reach: smaller windows.
    package static var untrusted: HTTP2Limits {
        var limits = HTTP2Limits()
        limits.session.streamWindowByteCount = 1 << 20
        limits.session.connectionWindowByteCount = 8 << 20
        return limits
    }
}
