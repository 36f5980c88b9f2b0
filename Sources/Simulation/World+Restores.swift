import LogModel
import ReplicaCore
import SegmentLog

/// Directories that are put back from older copies: their votes and acknowledgements must count for nothing.
///
/// What a peer has not seen it cannot tell: a directory is put back only when every other node has a later start of it on
/// its disk. Its votes in between are as lost as a whole disk, so it takes the turn of one: no other disk is lost
/// meanwhile, and it ends with another incarnation.
extension World {
    /// Copies directories of nodes that run, as they are; old copies are kept for a while.
    func keepBackups() {
        for node in self.nodes where node.backup == nil || self.chance(1, of: 4) {
            // A membership in which it is nearly alone could make it a leader without its peers.
            guard let membership = node.membership, membership.voters.count > 2, !membership.isJoint,
                membership.isVoter(node.member)
            else { continue }
            node.keepBackup()
        }
    }

    /// - Returns: Whether a directory was put back.
    func restore() -> Bool {
        let node = self.nodes.first { node in
            guard let backup = node.backup, self.oracle.membership?.isVoter(node.member) ?? true else { return false }
            return self.nodes.allSatisfy { other in
                if !other.isFounded || other === node { return true }
                return other.isResting && other.hasSeen(node.member, after: backup.starts)
            }
        }
        guard let node, self.isPowerRestored else { return false }
        if node.isRunning { self.crash(node, losesPower: false) }
        node.restore()
        self.report.directoriesRestored += 1
        return true
    }

    /// Somebody notices, and gives the node an empty disk.
    func replace(_ restored: SimulatedNode) {
        if self.chance(1, of: 4) { self.loseDisk(of: restored) }
    }

    func retired(_ node: SimulatedNode) throws(Violation) {
        guard node.isRestored else {
            throw Violation(
                invariant: .liveness, detail: "node \(node.number) was retired, and its directory was never put back")
        }
        self.report.restoredNodesRetired += 1
    }
}
