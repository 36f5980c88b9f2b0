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

}
