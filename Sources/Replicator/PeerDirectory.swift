import DiskIO
import LogModel

/// Where each member is found: as the log says, else as it was configured. For readers on any thread.
package final class PeerDirectory: Sendable {
    private let configured: [ClusterPeer]
    private let state: Lock<[ClusterPeer]>

    /// - Parameter configured: What is known until there is a log.
    package init(configured: [ClusterPeer]) {
        self.configured = configured.sorted { $0.node < $1.node }
        self.state = Lock(self.configured)
    }

    /// All members, by node.
    package var peers: [ClusterPeer] { self.state.withLock { $0 } }

    /// - Returns: Members that neither the log nor the configuration has an address for.
    func follow(_ membership: Membership) -> [NodeID] {
        var unknown: [NodeID] = []
        var peers: [ClusterPeer] = []
        for node in membership.nodes.sorted() {
            if let address = membership.addresses[node], let peer = ClusterPeer(node: node, address) {
                peers.append(peer)
            } else if let peer = self.configured.first(where: { $0.node == node }) {
                peers.append(peer)
            } else {
                unknown.append(node)
            }
        }
        self.state.withLock { $0 = peers }
        return unknown
    }
}

extension ClusterPeer {
    /// - Returns: `nil` when these are no addresses.
    package init?(node: NodeID, _ address: MemberAddress) {
        guard let peer = Self.parse(address.peer), let client = Self.parse(address.client) else { return nil }
        self.init(
            node: node, peerHost: peer.host, peerPort: peer.port, clientHost: client.host, clientPort: client.port)
    }

    /// `host:port`, where a host with colons stands in brackets.
    private static func parse(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return host.isEmpty ? nil : (String(host), Int(port))
    }
}
