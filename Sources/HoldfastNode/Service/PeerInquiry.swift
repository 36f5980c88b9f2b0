import HTTP2Transport
import HTTPTypes
import HoldfastAdmin
import HoldfastClient
import LogModel
import NIOCore
import Replicator

/// Asks other nodes how they are.
///
/// Rule: an answer counts only when it is that of the node that was meant, in the cluster that was meant. Why: an address
/// outlives its node, and the terms and the leader of another cluster would pass for news of this one.
struct PeerInquiry: Sendable {
    private let forwarder: LeaderForwarder
    private let timeoutMilliseconds: UInt64

    /// - Parameter timeoutMilliseconds: For each answer.
    init(_ forwarder: LeaderForwarder, timeoutMilliseconds: UInt64 = NodeLimits.statusMilliseconds) {
        self.forwarder = forwarder
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// Asks on the peer port; a build that is not asked there yet answers 404, and is asked on its client port instead.
    ///
    /// - Parameters:
    ///   - cluster: This node's; `nil` before it has one, when there is nothing to compare.
    ///   - eventsAfter: The member's events behind this number are asked for, too.
    /// - Throws: Why what came back, if anything, says nothing of the member.
    func status(
        of member: ClusterPeer, in cluster: ClusterID?, eventsAfter: UInt64?
    ) async throws(PeerSilence) -> NodeStatus {
        let query = eventsAfter.map { "?events_after=\($0)" } ?? ""
        var answer = try await self.ask(
            ServerAddress(host: member.peerHost, port: member.peerPort), "/peer/v1/status\(query)")
        if answer.head.status == .notFound {
            answer = try await self.ask(member.clientAddress, "/admin/v1/status\(query)")
        }
        guard answer.head.status == .ok else { throw PeerSilence("it answered with \(answer.head.status.code)") }
        guard let status = JSONDocument.decode(NodeStatus.self, from: answer.body.readableBytesView) else {
            throw PeerSilence("it says what this version does not understand")
        }
        // A node that was wiped names no cluster until it is taken in again.
        if let cluster, let other = status.cluster.cluster, other != cluster.description {
            throw PeerSilence("a node of another cluster, \(other), is there instead")
        }
        guard status.node == member.node.rawValue else { throw PeerSilence("node \(status.node) is there instead") }
        return status
    }

    private func ask(_ address: ServerAddress, _ path: String) async throws(PeerSilence) -> HTTP2Answer {
        do throws(HTTP2ClientError) {
            return try await self.forwarder.status(
                at: address, path: path, timeoutMilliseconds: self.timeoutMilliseconds)
        } catch {
            throw PeerSilence("\(error)")
        }
    }
}
