import LogModel

/// What has happened in a small world, as far as its promises rest on it.
struct SmallPast: Hashable {
    struct Leader: Hashable {
        var term: Term
        var node: Int
    }

    struct Committed: Hashable {
        var frame: SmallFrame
        /// The first term in which a node took it for committed.
        var inTerm: Term
    }

    /// By term.
    private(set) var leaders: [Leader] = []
    /// The one committed log.
    private(set) var committed: [Committed] = []

    /// How many of the world's appends are committed.
    var appendCount: Int { self.committed.count { $0.frame.append != 0 } }

    mutating func record(_ fact: SmallFact, of node: SmallNode) throws(Violation) {
        switch fact {
        case .leads(let term): try self.led(node, term)
        case .commits(let position): try self.committed(node, through: position)
        case .breaks(let invariant, let detail): throw Violation(invariant: invariant, detail: detail)
        }
    }

    private mutating func led(_ node: SmallNode, _ term: Term) throws(Violation) {
        if let other = self.leaders.first(where: { $0.term == term }) {
            throw Violation(
                invariant: .oneLeaderPerTerm,
                detail: "nodes \(other.node + 1) and \(node.number + 1) are elected in term \(term)")
        }
        self.leaders.append(Leader(term: term, node: node.number))
        self.leaders.sort { $0.term < $1.term }
    }

    private mutating func committed(_ node: SmallNode, through position: Position) throws(Violation) {
        let count = node.log.count(through: position)
        guard node.log.point(after: count).position == position else {
            throw Violation(
                invariant: .committedNeverChanges, detail: "node \(node.number + 1) commits amid a frame at \(position)"
            )
        }
        for (own, known) in zip(node.log.frames.prefix(count), self.committed) where own != known.frame {
            throw Violation(
                invariant: .committedNeverChanges,
                detail: "node \(node.number + 1) commits another frame at \(own.start) than was committed")
        }
        for frame in node.log.frames.prefix(count).dropFirst(self.committed.count) {
            self.committed.append(Committed(frame: frame, inTerm: node.core.term))
        }
    }

    /// A leader holds all that was committed in earlier terms (Raft Figure 3, Leader Completeness).
    func check(leader node: SmallNode) throws(Violation) {
        let count = self.committed.prefix { $0.inTerm < node.core.term }.count
        for (own, known) in zip(node.log.frames, self.committed.prefix(count)) where own != known.frame {
            throw self.incomplete(node, at: known.frame)
        }
        guard node.log.frames.count < count else { return }
        throw self.incomplete(node, at: self.committed[node.log.frames.count].frame)
    }

    private func incomplete(_ node: SmallNode, at frame: SmallFrame) -> Violation {
        Violation(
            invariant: .leaderCompleteness,
            detail: "node \(node.number + 1) leads term \(node.core.term) without the committed frame at \(frame.start)"
        )
    }
}
