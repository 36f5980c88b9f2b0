import LogModel

/// Where the log begins, as trims and nodes say: it never goes back.
///
/// Nodes are asked by several at a time, and answers come in any order. One that was asked for before the last one of its
/// node was taken may be older than that, and says nothing:
///
///     ask 1 ------------------------> answer: begins at 1, ignored
///        ask 2 --> answer: begins at 900, taken
///                        ask 3 --------> answer: must be 900 or more
package struct BeginningLedger: Sendable {
    /// A node that lost its disk is another member, and begins anew.
    private struct Member: Hashable {
        var node: UInt32
        var incarnation: String
    }

    private struct Known {
        var first: UInt64
        /// Of the last question that was asked before this was taken.
        var question: UInt64
    }

    /// What the last trim has said.
    package private(set) var first = LogIndex.first
    /// What went back, in words.
    package private(set) var retreats: [String] = []
    private var known: [Member: Known] = [:]
    private var question: UInt64 = 0

    package init() {}

    package mutating func trimmed(to first: LogIndex) {
        if first < self.first {
            self.retreats.append("a trim said that the log begins at \(first), after \(self.first)")
        }
        self.first = max(self.first, first)
    }

    /// To be called before nodes are asked.
    ///
    /// - Returns: What ``heard(_:askedAs:)`` is to be told with each answer.
    package mutating func ask() -> UInt64 {
        self.question += 1
        return self.question
    }

    package mutating func heard(_ status: ClusterStatus, askedAs question: UInt64) {
        // Before it belongs to the cluster, it has no log that could begin anywhere.
        guard status.cluster != nil else { return }
        let member = Member(node: status.node, incarnation: status.incarnation)
        let known = self.known[member] ?? Known(first: 1, question: 0)
        guard question > known.question else { return }
        if status.firstIndex < known.first {
            self.retreats.append("n\(status.node) began at \(known.first), and then at \(status.firstIndex) again")
        }
        self.known[member] = Known(first: max(known.first, status.firstIndex), question: self.question)
    }
}
