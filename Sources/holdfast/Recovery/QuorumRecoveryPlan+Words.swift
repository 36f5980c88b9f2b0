import LogModel
import ReplicaDisk

extension QuorumRecoveryPlan {
    /// For people: what is there, and what would become of it.
    var lines: [String] {
        let rows = self.survivors.map { survivor in
            [
                "n\(survivor.identity.node)", "\(survivor.identity.generation)", "\(survivor.tail.term)",
                "\(survivor.tail.position)", Self.last(survivor.nextIndex), "\(survivor.commit)",
                survivor.committedNextIndex.map(Self.last) ?? "unknown", survivor.directory.string,
            ]
        }
        var lines = [
            Console.table(
                ["NODE", "GENERATION", "LAST TERM", "TAIL", "LAST", "COMMIT", "COMMITTED", "DIRECTORY"], rows)
        ]
        lines.append(
            "the cluster would go on with node \(self.chosen.identity.node), which would be its only voter, as "
                + "generation \(self.generation)")
        lines += self.kept
        lines += self.dropped
        let records = "every record that was acknowledged behind \(Self.last(self.chosen.nextIndex))"
        guard !self.lost.isEmpty else { return lines + ["lost: \(records)"] }
        let names = self.lost.map { "\($0.node)" }.joined(separator: ", ")
        lines.append("lost: node \(names), and \(records). Should they come back, they are refused")
        return lines
    }

    /// For people: what has become of it.
    func lines(_ applied: Applied) -> [String] {
        [
            "node \(self.chosen.identity.node) is the only voter of generation \(applied.recovery.generation), from "
                + "\(applied.recovery.position) on (index \(applied.recovery.nextIndex)), in term \(applied.term)",
            "kept as they were: \(applied.kept.map { "\(self.chosen.directory)/\($0)" }.joined(separator: ", "))",
        ]
    }

    /// The records between what is committed for sure and the tail.
    private var kept: [String] {
        guard self.chosen.commit < self.chosen.tail.position else { return [] }
        guard let next = self.chosen.committedNextIndex, next < self.chosen.nextIndex else {
            return ["kept: what its log has behind \(self.chosen.commit), which nobody may have acknowledged"]
        }
        return [
            "kept: records \(next) to \(Self.last(self.chosen.nextIndex)), which may not have been acknowledged to anybody"
        ]
    }

    /// What other survivors have that the chosen one may not.
    private var dropped: [String] {
        self.survivors.filter { $0.member != self.chosen.member }.map { other in
            "dropped: node \(other.identity.node)'s log, which ends with \(Self.last(other.nextIndex)) in term "
                + "\(other.tail.term): it comes back with an empty data directory"
        }
    }

    private static func last(_ next: LogIndex) -> String { "\(next.rawValue - 1)" }
}

/// `holdfast recover-quorum -o json`.
struct QuorumRecoveryDocument: Encodable {
    struct Node: Encodable {
        var node: UInt32
        var directory: String
        var generation: UInt32
        var term: UInt64
        var tail: String
        var last: UInt64
        var commit: String
        var committed: UInt64?
    }

    var survivors: [Node]
    var chosen: UInt32
    var lost: [UInt32]
    /// Whatever was acknowledged with a higher index is lost.
    var keptThrough: UInt64
    var generation: UInt32
    var applied: Bool
    var kept: [String]

    private enum CodingKeys: String, CodingKey {
        case survivors, chosen, lost, generation, applied, kept
        case keptThrough = "kept_through"
    }

    init(_ plan: QuorumRecoveryPlan, _ applied: QuorumRecoveryPlan.Applied? = nil) {
        self.survivors = plan.survivors.map { survivor in
            Node(
                node: survivor.identity.node.rawValue, directory: survivor.directory.string,
                generation: survivor.identity.generation, term: survivor.tail.term.rawValue,
                tail: survivor.tail.position.description, last: survivor.nextIndex.rawValue - 1,
                commit: survivor.commit.description, committed: survivor.committedNextIndex.map { $0.rawValue - 1 })
        }
        self.chosen = plan.chosen.identity.node.rawValue
        self.lost = plan.lost.map(\.node.rawValue)
        self.keptThrough = plan.chosen.nextIndex.rawValue - 1
        self.generation = plan.generation
        self.applied = applied != nil
        self.kept = applied?.kept ?? []
    }
}
