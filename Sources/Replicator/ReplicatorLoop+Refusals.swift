import LogModel
import Logging
import ReplicaCore
import WireFormat

/// Peers whose promises do not count.
extension ReplicatorLoop {
    /// Peers of which it is remembered what they were told; with more, all are told to the log again.
    private static let refusalCountMax = 128

    /// Tells the peer each time it asks, and the log once.
    func refuse(_ refusal: PeerRefusal, _ member: Member) {
        if let link = self.links[member.node], link.isConnected {
            link.ask(.refusal(refusal), at: "/peer/v1/refuse")
        } else {
            // Of nodes that are no members here nothing is known but what they have opened.
            self.upstreams.values.first { $0.sender.member == member }?.send(.refusal(refusal))
        }
        if self.refusals.count >= Self.refusalCountMax { self.refusals.removeAll() }
        guard self.refusals.updateValue(refusal, forKey: member) != refusal else { return }
        self.logger.warning(
            "a peer is refused: nothing that it says counts",
            metadata: [
                "peer": "\(member.node)", "reason": "\(refusal)", "hint": "holdfast explain says what it needs",
            ])
    }

    /// A peer of another build is told of once: both nodes go on asking, and neither hears the other.
    func misunderstood(_ error: WireError, from node: NodeID) {
        guard case .unsupportedVersion(let version) = error else {
            return self.logger.debug(
                "a peer's message cannot be read; its stream ends", metadata: ["peer": "\(node)", "error": "\(error)"])
        }
        if self.strangers.count >= Self.refusalCountMax { self.strangers.removeAll() }
        guard self.strangers.updateValue(version, forKey: node) != version else { return }
        Self.tell(self.logger, of: node, speaking: version)
    }

    /// The message is the same for every version: a stranger that names another one each time is told of no more often.
    static func tell(_ logger: Logger, of node: NodeID, speaking version: UInt16) {
        logger.warning(
            "a peer speaks another version of the peer protocol",
            metadata: [
                "peer": "\(node)", "detail": "it speaks version \(version), this node version \(PeerProtocol.spoken)",
                "hint": "run releases that share a version; the older node stays behind until then",
            ])
    }
}
