import HoldfastClient
import LogModel
import ReplicaCore
import Replicator

extension AppendOutcome {
    var receipt: AppendReceipt {
        AppendReceipt(
            first: self.first, last: self.last, position: self.position, term: self.term,
            durability: self.durability, nodes: self.nodes, voters: self.voters, isDuplicate: self.isDuplicate)
    }
}

extension Membership {
    /// In one word; `nil` for a node that is no member.
    fileprivate func standing(of node: NodeID) -> ClusterStatus.Standing? {
        if self.learners.contains(where: { $0.member.node == node }) { return .learner }
        let coming = self.voters.first { $0.node == node }
        let before = self.isJoint ? self.outgoing.first { $0.node == node } : coming
        // Another incarnation of a node joins, as another node does.
        guard let coming else { return before == nil ? nil : .leaving }
        return coming == before ? .voter : .joining
    }
}

extension ClusterStatus.Health {
    fileprivate init(_ health: LogPicture.Health) {
        self.init(
            mayVote: health.mayVote, damagedSegments: health.damagedSegments.map(\.rawValue),
            damageFound: health.damageFoundCount, segmentsRepaired: health.repairedSegmentCount,
            scrubbedBytes: UInt64(health.scrubbedByteCount), scrubPasses: UInt64(health.scrubPassCount))
    }
}

extension ClusterStatus {
    init(_ picture: LogPicture, peers: [ClusterPeer]) {
        let retirement = picture.retirement
        self.init(
            node: picture.node.rawValue, role: picture.role, term: picture.term.rawValue,
            leader: picture.leader?.rawValue, cluster: picture.cluster?.description,
            incarnation: picture.incarnation.description, generation: picture.generation,
            recovered: picture.membership.recovery.map {
                Recovery(position: $0.position.description, nextIndex: $0.nextIndex.rawValue)
            },
            firstIndex: picture.firstIndex.rawValue,
            lastIndex: picture.nextIndex.rawValue - 1, commit: picture.commit.description,
            tail: picture.tail.description, isReady: picture.isReady,
            retired: retirement.map { "\($0.reason); \($0.remedy(for: picture.node))" },
            nodes: peers.map { peer in
                let progress = picture.progress.first { $0.node == peer.node }
                var node = Node(
                    node: peer.node.rawValue, client: peer.clientAddress.description,
                    peer: peer.peerAddress.description)
                node.membership = picture.membership.standing(of: peer.node)
                node.isConnected = progress?.isConnected
                node.otherProtocol = progress?.otherProtocol
                node.laterFormat = progress?.laterFormat
                node.received = progress?.received?.description
                node.persisted = progress?.persisted?.description
                node.missingBytes = progress?.missingByteCount
                node.lagSeconds = progress?.lagMilliseconds.map { Double($0) / 1_000 }
                node.shipping = progress?.shipping.flatMap { Shipping(rawValue: $0) }
                if let shipped = progress?.shipped, shipped.rangeCount > 0 {
                    node.shippedBytes = shipped.bytesRaw
                    node.wireBytes = shipped.bytesOnWire
                }
                return node
            })
        self.health = Health(picture.health)
        self.votedFor = picture.votedFor?.rawValue
        self.tailIndex = picture.tailIndex.rawValue - 1
        self.isDiskFull = picture.isDiskFull
    }
}
