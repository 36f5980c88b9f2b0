import HTTP2Transport

extension HTTP2Limits {
    /// Between nodes: few connections, long-lived, with the windows that bulk shipping wants.
    static var peer: HTTP2Limits {
        var limits = HTTP2Limits()
        limits.connectionsMax = 128
        limits.unacknowledgedMilliseconds = 3_000
        // A follower keeps its connection to the leader to notice its end, though it has nothing to say on it.
        limits.idleMilliseconds = 24 * 3_600 * 1_000
        return limits
    }
}
