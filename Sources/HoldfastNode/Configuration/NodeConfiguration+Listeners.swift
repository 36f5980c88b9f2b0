import HoldfastClient
import LogModel
import Replicator

extension NodeConfiguration {
    /// What other machines may reach as it is; what does not parse is told of already, and allows all.
    fileprivate struct Insecurity {
        var isAllowed: Bool
        var isAllowedForAdmin: Bool

        init(_ reading: inout ConfigurationReading) {
            self.isAllowed = reading.truth(.isInsecure) ?? true
            self.isAllowedForAdmin = reading.truth(.isAdminInsecure) ?? true
        }
    }

    struct Listeners {
        var client: ServerAddress
        var peer: ServerAddress
        var admin: ServerAddress
        var peers: [ClusterPeer]
    }

    /// Where the node listens, and where all nodes are found.
    ///
    /// - Parameter node: `nil` when it is not known who this is: then less can be checked.
    static func listeners(
        _ reading: inout ConfigurationReading, node: NodeID?, _ security: NodeSecurity
    ) -> Listeners? {
        let client = reading.address(.clientListen)
        let peer = reading.address(.peerListen)
        let admin = reading.address(.adminListen)
        let insecurity = Insecurity(&reading)
        let before = reading.problems.count
        guard let found = reading.list(.peers, { ClusterPeer(configured: $0) }) else {
            guard reading.problems.count == before, let node else { return nil }
            return self.alone(&reading, node: node, client, peer, admin, insecurity, security)
        }
        guard reading.problems.count == before else { return nil }
        self.checkPeers(found, &reading)
        guard let node else { return nil }
        guard let own = found.first(where: { $0.item.node == node })?.item else {
            reading.note(.nodeNotAmongPeers(node: node.rawValue, origin: reading.origin(.peers)))
            return nil
        }
        let clientListen = client ?? own.clientAddress
        let listeners = Listeners(
            client: clientListen, peer: peer ?? own.peerAddress, admin: admin ?? clientListen.adminBeside(security),
            peers: found.map(\.item).sorted { $0.node < $1.node })
        self.check(listeners, node: node, &reading, insecurity, security)
        return listeners
    }

    /// A cluster of one.
    private static func alone(
        _ reading: inout ConfigurationReading, node: NodeID, _ client: ServerAddress?, _ peer: ServerAddress?,
        _ admin: ServerAddress?, _ insecurity: Insecurity, _ security: NodeSecurity
    ) -> Listeners {
        let client = client ?? ServerAddress(host: "127.0.0.1", port: 7400)
        let peer = peer ?? ServerAddress(host: "127.0.0.1", port: 7401)
        let own = ClusterPeer(
            node: node, peerHost: peer.host, peerPort: peer.port, clientHost: client.host, clientPort: client.port)
        reading.derive(.peers, "\(node)=\(peer)/\(client)")
        let listeners = Listeners(
            client: client, peer: peer, admin: admin ?? client.adminBeside(security), peers: [own])
        self.check(listeners, node: node, &reading, insecurity, security)
        return listeners
    }

    private static func checkPeers(
        _ peers: [(item: ClusterPeer, origin: ConfigurationOrigin)], _ reading: inout ConfigurationReading
    ) {
        var nodes: Set<NodeID> = []
        var addresses: Set<ServerAddress> = []
        for (peer, origin) in peers {
            guard nodes.insert(peer.node).inserted else {
                reading.note(.peerTwice(node: peer.node.rawValue, origin: origin))
                continue
            }
            // Port 0 is for tests: the system picks one.
            for address in [peer.peerAddress, peer.clientAddress]
            where address.port != 0 && !addresses.insert(address).inserted {
                reading.note(.addressTwice(address.description, origin: origin))
            }
        }
    }

    private static func check(
        _ listeners: Listeners, node: NodeID, _ reading: inout ConfigurationReading, _ insecurity: Insecurity,
        _ security: NodeSecurity
    ) {
        reading.derive(.clientListen, listeners.client.description)
        reading.derive(.peerListen, listeners.peer.description)
        reading.derive(.adminListen, listeners.admin.description)
        let keys: [(key: ConfigurationKey, address: ServerAddress)] = [
            (.clientListen, listeners.client), (.peerListen, listeners.peer), (.adminListen, listeners.admin),
        ]
        if listeners.client.collides(with: listeners.peer),
            reading.isSaid(.clientListen) || reading.isSaid(.peerListen)
        {
            reading.note(
                .sameListener(
                    listeners.client.description, client: reading.origin(.clientListen, or: .peers),
                    peer: reading.origin(.peerListen, or: .peers)))
        }
        for (key, address) in [(ConfigurationKey.clientListen, listeners.client), (.peerListen, listeners.peer)]
        where listeners.admin.collides(with: address) {
            reading.note(
                .sameAdminListener(
                    listeners.admin.description, origin: reading.origin(.adminListen, or: .peers), other: key))
        }
        for (key, address) in keys where reading.isSaid(key) {
            let other = listeners.peers.first { peer in
                peer.node != node && [peer.clientAddress, peer.peerAddress].contains(address)
            }
            if let other, address.port != 0 {
                reading.note(
                    .listenerOfAnother(
                        address.description, node: other.node.rawValue, origin: reading.origin(key)))
            }
        }
        guard !insecurity.isAllowed else { return }
        for (key, address) in keys where !address.isLoopback {
            let origin = reading.origin(key, or: .peers)
            guard key != .adminListen else {
                // One that nobody spoke of is where the client listener is, which is told of already.
                guard reading.isSaid(key) else { continue }
                if !insecurity.isAllowedForAdmin {
                    reading.note(.exposedAdmin(address.description, origin: origin))
                } else if security.tokens == nil {
                    reading.note(.exposed(key, address: address.description, missing: [.tokens], origin: origin))
                }
                continue
            }
            let missing = key == .clientListen ? security.missingForClients : security.missingForPeers
            guard !missing.isEmpty else { continue }
            reading.note(.exposed(key, address: address.description, missing: missing, origin: origin))
        }
    }
}

extension ConfigurationReading {
    /// Of a key, or of the one that it follows from.
    fileprivate func origin(_ key: ConfigurationKey, or other: ConfigurationKey) -> ConfigurationOrigin {
        self.isSaid(key) ? self.origin(key) : self.origin(other)
    }
}

extension ServerAddress {
    /// Where the admin listener is when nobody says so.
    ///
    /// It speaks no TLS: beside a listener that does, it is for this machine only.
    fileprivate func adminBeside(_ security: NodeSecurity) -> ServerAddress {
        let host = security.tls == nil || self.isLoopback ? self.host : "127.0.0.1"
        // Port 0 is for tests: the system picks one.
        return ServerAddress(host: host, port: self.port == 0 ? 0 : min(self.port + 2, Int(UInt16.max)))
    }

    /// Whether one process cannot listen on both.
    fileprivate func collides(with other: ServerAddress) -> Bool {
        let everywhere = ["0.0.0.0", "::"]
        return self.port == other.port && self.port != 0
            && (self.host == other.host || everywhere.contains(self.host) || everywhere.contains(other.host))
    }
}
