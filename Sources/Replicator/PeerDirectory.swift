import DiskIO
import HTTP2Transport
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
        guard let peer = HTTP2Address(address.peer), let client = HTTP2Address(address.client), peer.port > 0,
            client.port > 0
        else { return nil }
        self.init(
            node: node, peerHost: peer.host, peerPort: peer.port, clientHost: client.host, clientPort: client.port)
    }

    /// Where its peers find it.
    var peerAddress: HTTP2Address { HTTP2Address(host: self.peerHost, port: self.peerPort) }

    package var address: MemberAddress {
        MemberAddress(
            peer: HTTP2Address(host: self.peerHost, port: self.peerPort).description,
            client: HTTP2Address(host: self.clientHost, port: self.clientPort).description)
    }
}
