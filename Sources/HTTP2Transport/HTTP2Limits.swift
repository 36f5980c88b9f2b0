import HTTP2Session

/// Bounds of connections, servers and clients. Times in milliseconds.
package struct HTTP2Limits: Hashable, Sendable {
    package var session = HTTP2SessionLimits()

    /// Connections a server holds; more are closed at once.
    package var connectionsMax = 1_024
    /// The same for one remote address: nobody takes all of them.
    package var connectionsPerAddressMax = 512
    /// The same for an IPv6 network of 64 bits: a subnet may be full of honest clients, and one host there of addresses.
    /// Never fewer than one address may have.
    package var connectionsPerNetworkMax: Int {
        max(self.connectionsPerAddressMax, self.connectionsMax - self.connectionsMax / 8)
    }
    /// From accepting (or connecting) to the peer's first SETTINGS; a TLS handshake is part of it.
    package var prefaceMilliseconds: UInt64 = 10_000
    /// From the start of a connection to the peer's acknowledgement of our SETTINGS, which do not bind it before.
    package var settingsMilliseconds: UInt64 = 10_000
    /// From the start of a header block to its end.
    package var headersMilliseconds: UInt64 = 10_000
    /// Server: a connection without streams gets a GOAWAY after this time.
    package var idleMilliseconds: UInt64 = 20_000
    /// The same once a handler has said ``HTTP2Stream/keepConnection()``.
    package var keptIdleMilliseconds: UInt64 = 20_000
    /// Server: a peer with open streams that says nothing for this time is pinged, and has ``probeMilliseconds`` to
    /// answer. Long-lived streams of a peer that is gone would stay otherwise.
    package var silenceMilliseconds: UInt64 = 15_000
    /// Server: a request body that does not go on for this time resets its stream, unless the stream is long-lived.
    package var bodyProgressMilliseconds: UInt64 = 15_000
    /// Server: bytes the peer does not take for this time reset the stream, or close the connection.
    package var unreadMilliseconds: UInt64 = 15_000
    /// What going on means: fewer bytes in that time are none, since a byte now and then keeps a stream as well.
    package var progressByteCountMin = 1_024
    /// Server: streams reset by the two deadlines above; more end the connection.
    package var stalls = RateBudget(burst: 64, perSecond: 1)
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
    /// A connection stops to serialize while its socket has not taken this much.
    package var socketBufferByteCount = 512 << 10
    /// Server: a stream is reset rather than sent on while its connection's streams hold this much unsent. One body that
    /// exceeds it is sent.
    package var unsentByteCountMax = 256 << 20
    /// Server: while all connections together hold this much unsent, each may hold ``unsentByteCountShare`` only, so that
    /// those who read are served when others do not.
    package var listenerUnsentByteCountMax = 1 << 30
    package var unsentByteCountShare = 64 << 10
    /// This much of each stream is sent in any case: errors, receipts.
    package var smallBodyByteCount = 4 << 10

    /// A peer that was silent for too long has this long to answer a ping.
    package var probeMilliseconds: UInt64 = 2_000
    /// Client: requests of one connection under way; more are refused at once.
    package var pendingRequestsMax = 4_096
    /// Client: after a failed connect, requests fail at once for this time, doubled per failure ...
    package var backoffMillisecondsMin: UInt64 = 20
    /// ... up to this.
    package var backoffMillisecondsMax: UInt64 = 1_000

    package init() {}

    /// For listeners that anybody may reach: smaller windows and buffers.
    package static var untrusted: HTTP2Limits {
        var limits = HTTP2Limits()
        limits.session.streamWindowByteCount = 1 << 20
        limits.session.connectionWindowByteCount = 8 << 20
        limits.connectionsPerAddressMax = 256
        limits.socketBufferByteCount = 256 << 10
        limits.streamBufferByteCount = 256 << 10
        limits.unsentByteCountMax = 8 << 20
        limits.listenerUnsentByteCountMax = 16 << 20
        limits.probeMilliseconds = 5_000
        return limits
    }
}
