import HoldfastClient
import LogModel
import Synchronization

/// Where the log begins, as trims and nodes say: it never goes back, and what lies behind it is still checked.
final class LogBeginning: Sendable {
    /// A node that lost its disk is another member, and begins anew.
    private struct Member: Hashable {
        var node: UInt32
        var incarnation: String
    }

    private struct State {
        var first = LogIndex.first
        var known: [Member: UInt64] = [:]
        var retreats: [String] = []
    }

    private let state = Mutex(State())
    private let tally: PacedAppendTally
    private let readers: [SoakReader]

    init(_ tally: PacedAppendTally, _ readers: [SoakReader]) {
        self.tally = tally
        self.readers = readers
    }

    /// What the last trim has said.
    var first: LogIndex { self.state.withLock { $0.first } }

    /// What went back, in words.
    var retreats: [String] { self.state.withLock { $0.retreats } }

    /// The log begins at `first` on all nodes soon: nobody has to remember what was before.
    func trimmed(to first: LogIndex) {
        self.state.withLock { state in
            if first < state.first {
                state.retreats.append("a trim said that the log begins at \(first), after \(state.first)")
            }
            state.first = max(state.first, first)
        }
        self.tally.trimmed(before: first)
        for reader in self.readers { reader.forget(before: first) }
    }

    func heard(_ status: ClusterStatus) {
        // Before it belongs to the cluster, it has no log that could begin anywhere.
        guard status.cluster != nil else { return }
        let member = Member(node: status.node, incarnation: status.incarnation)
        self.state.withLock { state in
            let known = state.known[member, default: 1]
            if status.firstIndex < known {
                state.retreats.append("n\(status.node) began at \(known), and then at \(status.firstIndex) again")
            }
            state.known[member] = max(known, status.firstIndex)
        }
    }
}
