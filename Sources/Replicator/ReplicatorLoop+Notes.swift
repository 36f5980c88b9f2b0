import LogModel
import Logging
import RaftCore
import ReplicaCore
import SegmentFormat

/// What the operator has to know of replication: one entry for each change of state.
extension ReplicatorLoop {
    func tell(_ note: ReplicaNote) {
        self.history.note(.noted(note))
        switch note {
        case .truncated(let point, let from):
            self.logger.notice(
                "records that no quorum had were taken back: another leader has others in their place",
                metadata: ["term": "\(point.term)", "from": "\(from)", "to": "\(point.position)"])
        case .trimmed(let segment):
            self.logger.notice("the log was trimmed: it begins with this segment", metadata: ["segment": "\(segment)"])
        case .fellBehind(let tail, let first):
            self.logger.notice(
                "the leader has trimmed what this log lacks: beginning with the leader's first segment",
                metadata: ["segment": "\(first)", "from": "\(tail)"])
        case .endedDamaged(let segment):
            self.logger.notice("a damaged segment was ended early, to be repaired", metadata: ["segment": "\(segment)"])
        case .repaired(let segment):
            self.logger.info("a good copy is in the place of a damaged segment", metadata: ["segment": "\(segment)"])
        case .regainedVote: self.logger.notice("the log is whole again: this node votes")
        case .followerLevel(let node, let position):
            self.logger.info("a follower is level", metadata: ["peer": "\(node)", "to": "\(position)"])
        case .streamRefused(let node, let refusal):
            self.logger.info(
                "a follower takes no range from here; asking again",
                metadata: ["peer": "\(node)", "reason": "\(refusal)"])
        case .refusedRange(let node, let reason):
            self.logger.info(
                "a range was refused; the leader sends it again", metadata: ["peer": "\(node)", "reason": "\(reason)"])
        case .laterFormat(let node, let version):
            self.logger.warning(
                "the leader ships segments of a later format than this release reads; nothing of them is taken",
                metadata: [
                    "peer": "\(node)",
                    "detail": "it ships version \(version), this node reads \(SegmentHeader.version)",
                    "hint": "run the leader's release on this node, too, or a later one; it stays behind until then",
                ])
        case .retired(let retirement, let node):
            self.logger.error(
                "this node neither votes nor counts any more: \(retirement.reason)",
                metadata: ["said_by": "\(node)", "hint": "\(retirement.remedy(for: self.configuration.node))"])
        }
    }

    /// A refused append says so too, but a follower refuses none.
    func tell(_ room: DiskRoom) {
        let before = self.room.told
        guard self.room.changed(to: room, at: Self.now().monotonic) else { return }
        let words: Logger.Message =
            room == .none
            ? "the disk has no room: nothing is appended here until there is; reads go on"
            : "the disk has no room for the next segment: when this one is full, nothing is appended here; reads go on"
        self.logger.error(
            words,
            metadata: ["hint": "free space on the disk of the data directory, or: holdfast trim --before INDEX"])
        if before == .enough { self.history.note(.diskFilled) }
    }

    func lookForRoom() {
        guard let room = self.room.held(at: Self.now().monotonic) else { return }
        guard room == .enough else {
            return self.logger.notice("the disk has room again, but not for the next segment")
        }
        self.logger.notice("the disk has room again")
        self.history.note(.diskHasRoom)
    }

    /// Who leads is news; on the way to an answer, it is not yet.
    func tell(_ role: RaftRole, term: Term, leader: NodeID?) {
        let metadata: Logger.Metadata = ["term": "\(term)", "role": "\(role)", "commit": "\(self.core.commit)"]
        switch leader {
        case self.configuration.node: self.logger.notice("this node leads", metadata: metadata)
        case let leader?:
            self.logger.notice("following", metadata: metadata.merging(["leader": "\(leader)"]) { $1 })
        case nil: self.logger.info("no leader is known: looking for one", metadata: metadata)
        }
    }
}
