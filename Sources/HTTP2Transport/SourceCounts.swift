import NIOCore

/// How many connections of a listener come from where, so that nobody takes all of them.
///
/// Counted are addresses, and IPv6 networks: whoever has one address of a network can have all of them.
package struct SourceCounts: Sendable {
    /// By address, and by network: of different lengths.
    private var counts: [[UInt8]: Int] = [:]

    package init() {}

    /// Counts a connection, unless it is one too many.
    ///
    /// - Parameters:
    ///   - address: The remote one; those without any count as one.
    ///   - perAddressMax: Connections of an address.
    ///   - perNetworkMax: Connections of an IPv6 network of 64 bits.
    /// - Returns: Whether it is counted, until ``remove(_:)``.
    package mutating func add(_ address: SocketAddress?, perAddressMax: Int, perNetworkMax: Int) -> Bool {
        var bounds = [(source: address.host, max: perAddressMax)]
        if let network = address.network { bounds.append((network, perNetworkMax)) }
        guard bounds.allSatisfy({ self.counts[$0.source, default: 0] < $0.max }) else { return false }
        for (source, _) in bounds { self.counts[source, default: 0] += 1 }
        return true
    }

    /// To be called once for each connection that was counted.
    package mutating func remove(_ address: SocketAddress?) {
        for source in [address.host, address.network].compactMap({ $0 }) {
            let count = self.counts[source, default: 0]
            self.counts[source] = count > 1 ? count - 1 : nil
        }
    }
}
