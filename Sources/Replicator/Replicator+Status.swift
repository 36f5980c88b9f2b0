import HTTP2Transport
import NIOCore

/// How this node is, where its peers are, and what may be changed while it runs.
extension Replicator {
    /// From now on other nodes that ask how this one is are told what `source` says.
    package func tellPeers(_ source: @escaping StatusSource) {
        let host = self.host
        self.eventLoop.execute { host.value.statusSource = source }
    }

    /// Where each member is found.
    package var peers: [ClusterPeer] { self.directory.peers }

    /// Where the configuration says that nodes are, members or not.
    var configuredPeers: [ClusterPeer] { self.configuration.peers }

    /// What a node says of itself.
    func identity(of peer: ClusterPeer) async -> IdentityAnswer {
        let client = HTTP2Client(
            on: self.eventLoop, limits: .peer, tls: self.configuration.calling(peer.node),
            logger: self.configuration.logger)
        let answer = await IdentityAnswer.of(peer, client)
        await client.shutdown(grace: .zero)
        return answer
    }

    /// Changes how this node works from now on.
    package func tune(_ tuning: ReplicatorTuning) {
        let host = self.host
        self.eventLoop.execute { host.value.tune(tuning) }
    }

    package func status() async -> ReplicatorStatus {
        let host = self.host
        do {
            return try await self.eventLoop.submit { host.value.status() }.get()
        } catch {
            preconditionFailure("the event loop ended before the Replicator: \(error)")
        }
    }

    /// The segments of the log, in order.
    package func listedSegments() async -> [ReplicatorSegment] {
        let host = self.host
        return (try? await self.eventLoop.submit { host.value.listedSegments() }.get()) ?? []
    }

    /// Returns once the event loop has come to it.
    package func reachLoop() async { try? await self.eventLoop.submit {}.get() }

    /// Returns once the thread that writes and syncs has come to it; at once where there is none yet.
    package func reachDisk() async {
        let host = self.host
        let disk = try? await self.eventLoop.submit { host.value.diskThread }.get()
        await disk?.reach()
    }
}
