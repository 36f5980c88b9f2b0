import HTTP2Transport

/// How many connections a node's client listener holds; more are closed at once, and counted.
///
/// Nodes that forward and the node's own admin listener are clients, too: a few connections are theirs.
package struct ClientConnections: Hashable, Sendable {
    /// Of all clients together: 1 ... ``range``'s end.
    package var max: Int
    /// Of one remote address: nobody takes all of them. At most ``max``.
    package var perAddressMax: Int

    /// Half of the descriptors that the systemd unit allows (`LimitNOFILE`), so that the log never lacks one.
    static let range: ClosedRange<Int> = 1...32_768
    /// What all connections together may hold unsent once the listener holds too much.
    private static let sharedByteCountMax = 64 << 20

    package init(
        max: Int = HTTP2Limits.untrusted.connectionsMax,
        perAddressMax: Int = HTTP2Limits.untrusted.connectionsPerAddressMax
    ) {
        self.max = max
        self.perAddressMax = perAddressMax
    }

    /// - Returns: `nil` when something is wrong, which is noted.
    static func read(_ reading: inout ConfigurationReading) -> ClientConnections? {
        reading.connections(.clientConnectionsMax, ofOneAddress: .clientConnectionsPerAddressMax).map {
            ClientConnections(max: $0.max, perAddressMax: $0.perAddressMax)
        }
    }

    /// Those of the client listener. What all connections together may hold unsent does not grow with their number: each
    /// may hold less.
    var limits: HTTP2Limits {
        var limits = HTTP2Limits.untrusted
        limits.connectionsMax = self.max
        limits.connectionsPerAddressMax = self.perAddressMax
        let share = min(limits.unsentByteCountShare, Self.sharedByteCountMax / self.max)
        limits.unsentByteCountShare = Swift.max(limits.smallBodyByteCount, share)
        return limits
    }
}
