import LogModel
import LogState
import RaftCore
import ReplicaCore
import WireFormat

/// What an operator asks of a running cluster's membership.
package enum MemberRequest: Hashable, Sendable {
    /// A node that runs and waits to be added; it says itself which incarnation it is.
    ///
    /// - `address`: `nil` is where the node is known to be already.
    /// - `replaces`: The voter that leaves once this one is level: another node, or an earlier incarnation of this one.
    case add(NodeID, at: MemberAddress?, replaces: NodeID?, isPromoted: Bool)
    case promote(NodeID)
    case remove(NodeID)
}

/// Why a request about members was not met.
package enum MemberFailure: Error, Hashable, Sendable {
    case change(MembershipFailure)
    /// Neither the request nor the log says where the node is.
    case noAddress(NodeID)
    case badAddress(MemberAddress)
    /// Nobody answers on the peer address.
    case unreachable(NodeID, at: String)
    /// Another node answers there.
    case otherNode(NodeID, at: String)
    /// The node runs a release of another version of the peer protocol.
    case otherVersion(NodeID, UInt16)
    /// The node belongs to another cluster.
    case otherCluster(NodeID, ClusterID)
    /// The node still has the directory in which its promises do not count any more.
    case retired(NodeID)
}

extension Replicator {
    /// Changes who is a member; asking again for what is so already changes nothing.
    ///
    /// - Returns: The membership once the first step is committed; further steps (a learner's promotion, the end of a joint
    ///   membership) follow by themselves, whoever leads then.
    package func change(_ request: MemberRequest) async throws(MemberFailure) -> Membership {
        let status = await self.status()
        guard status.role == .leader else { throw .change(.notLeader(leader: status.leader)) }
        let change: MembershipChange =
            switch request {
            case .promote(let node): .promote(node)
            case .remove(let node): .remove(node)
            case .add(let node, let address, let replaced, let isPromoted):
                try await self.addition(of: node, at: address, replacing: replaced, isPromoted, to: status)
            }
        do throws(MembershipFailure) {
            return try await self.change(change)
        } catch {
            throw .change(error)
        }
    }

    /// Asks the node who it is.
    private func addition(
        of node: NodeID, at given: MemberAddress?, replacing replaced: NodeID?, _ isPromoted: Bool,
        to status: ReplicatorStatus
    ) async throws(MemberFailure) -> MembershipChange {
        let known = (self.peers + self.configuredPeers).first { $0.node == node }?.address
        guard let address = given ?? known else { throw .noAddress(node) }
        guard let peer = ClusterPeer(node: node, address), address.isShort else { throw .badAddress(address) }
        let identity: PeerIdentity
        switch await self.identity(of: peer) {
        case .identity(let answer): identity = answer
        case .otherVersion(let version): throw .otherVersion(node, version)
        case .silence: throw .unreachable(node, at: address.peer)
        }
        guard identity.node == node else { throw .otherNode(identity.node, at: address.peer) }
        if let cluster = identity.cluster, cluster != status.cluster { throw .otherCluster(node, cluster) }
        let isOlder = !identity.isBlank && identity.generation < status.generation
        guard !identity.isRetired, !isOlder else { throw .retired(node) }
        let member = Member(node: node, incarnation: identity.incarnation)
        // What a recovery of the quorum left out is not to be replaced any more.
        let isLeftOut = status.membership.recovery != nil && !status.membership.voters.contains { $0.node == node }
        let replaced = replaced == node && isLeftOut ? nil : replaced
        return .add(Learner(member, isPromoted: isPromoted, replaces: replaced), at: address)
    }
}

extension MemberAddress {
    fileprivate var isShort: Bool {
        max(self.peer.utf8.count, self.client.utf8.count) <= LogStateLimits.addressByteCountMax
    }
}
