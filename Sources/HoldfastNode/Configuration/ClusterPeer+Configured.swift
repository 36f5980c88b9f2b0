import HoldfastClient
import LogModel
import Replicator

extension NodeID {
    /// Parses a whole number from 1, in digits alone.
    init?(configured text: some StringProtocol) {
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt32(text), number > 0 else { return nil }
        self.init(number)
    }
}

extension ClusterPeer {
    /// Parses `1=127.0.0.1:7401/127.0.0.1:7400`: node, where its peers find it, where its clients do.
    package init?(configured text: String) {
        let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, let node = NodeID(configured: halves[0]) else { return nil }
        let addresses = halves[1].split(separator: "/", omittingEmptySubsequences: false)
        guard
            addresses.count == 2, let peer = ServerAddress(addresses[0]), let client = ServerAddress(addresses[1])
        else { return nil }
        self.init(
            node: node, peerHost: peer.host, peerPort: peer.port, clientHost: client.host, clientPort: client.port)
    }

    package var peerAddress: ServerAddress { ServerAddress(host: self.peerHost, port: self.peerPort) }
    package var clientAddress: ServerAddress { ServerAddress(host: self.clientHost, port: self.clientPort) }
}
