import HTTP2Transport

extension HTTP2Limits {
    /// Between nodes: few connections, long-lived, with the windows that bulk shipping wants.
    static var peer: HTTP2Limits {
        var limits = HTTP2Limits()
        limits.connectionsMax = 128
        // Nodes of a test or of a rolling restart may share an address; of a real cluster they do not.
        limits.connectionsPerAddressMax = 96
        // A peer has a handful: one for replication, one for heartbeats, and what it asks.
        limits.session.maxConcurrentStreams = 64
        limits.unacknowledgedMilliseconds = 3_000
        // A stream that sends a segment holds a mebibyte.
        limits.unsentByteCountMax = 16 << 20
        limits.listenerUnsentByteCountMax = 24 << 20
        limits.unsentByteCountShare = 1 << 20
        // A follower keeps its connection to the leader to notice its end, though it has nothing to say on it.
        limits.keptIdleMilliseconds = 24 * 3_600 * 1_000
        return limits
    }
}
