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
        switch error {
        case .unsupportedVersion(let version):
            if self.isNews(error, of: node) { Self.tell(self.logger, of: node, speaking: version) }
        case .otherVersion(let stated, let agreed):
            guard self.isNews(error, of: node) else { return }
            self.logger.warning(
                "a peer's message states another version of the peer protocol than its stream's; the stream ends",
                metadata: [
                    "peer": "\(node)", "detail": "the message states version \(stated), the stream's request \(agreed)",
                    "hint": "compare both nodes' releases: holdfast --version",
                ])
        default:
            self.logger.debug(
                "a peer's message cannot be read; its stream ends", metadata: ["peer": "\(node)", "error": "\(error)"])
        }
    }

    private func isNews(_ error: WireError, of node: NodeID) -> Bool {
        if self.strangers.count >= Self.refusalCountMax { self.strangers.removeAll() }
        return self.strangers.updateValue(error, forKey: node) != error
    }

    /// It runs another release by now: should it go back, that is news again.
    func understood(_ message: PeerMessage, from node: NodeID) {
        switch self.strangers[node] {
        case .unsupportedVersion?: self.strangers[node] = nil
        case .otherVersion?:
            // Only these state a version.
            switch message {
            case .hello, .welcome: self.strangers[node] = nil
            default: return
            }
        default: return
        }
    }

    /// The version of the peer protocol that a node speaks, where this one does not.
    func otherProtocol(of node: NodeID) -> UInt16? {
        if case .unsupportedVersion(let version)? = self.strangers[node] { version } else { nil }
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
