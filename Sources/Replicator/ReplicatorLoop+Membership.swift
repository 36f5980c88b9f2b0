import LogModel
import Logging
import NIOCore

/// Connections follow the membership, as the newest one in the log has it.
extension ReplicatorLoop {
    var membership: Membership { self.core.raft.membership }

    /// Connects to new members, and to those that are found elsewhere now.
    func connect(to membership: Membership) {
        let unknown = self.directory.follow(membership)
        if !unknown.isEmpty {
            self.logger.error(
                "members without an address: neither the log nor the configuration has one",
                metadata: [
                    "nodes": "\(unknown)",
                    "hint": "name them under peers in this node's configuration, then restart it",
                ])
        }
        for peer in self.directory.peers where peer.node != self.configuration.node {
            if let link = self.links[peer.node] {
                guard link.peer != peer else { continue }
                link.close()
                self.take(.disconnected(from: peer.node))
            }
            self.link(to: peer)
        }
    }

    private func link(to peer: ClusterPeer) {
        let link = PeerLink(
            peer: peer, cluster: self.core.configuration.cluster, tls: self.configuration.calling(peer.node),
            eventLoop: self.eventLoop, shipping: self.shipping,
            logger: self.logger, start: { [unowned self] in self.core.start }
        ) { [unowned self] report in self.linkReported(report, from: peer.node) }
        self.links[peer.node] = link
        link.connect()
    }

    /// Lets go of nodes that are members no more, once they have been told so.
    func closeStrayLinks() {
        let nodes = self.membership.nodes
        for (node, link) in self.links where !nodes.contains(node) && self.core.followers[node] == nil {
            link.close()
            self.links[node] = nil
            self.take(.disconnected(from: node))
        }
    }
}
