import HoldfastClient
import LogModel
import Synchronization

/// Where the log begins, for all who have to know: what lies behind it is still checked.
final class LogBeginning: Sendable {
    private let ledger = Mutex(BeginningLedger())
    private let tally: PacedAppendTally
    private let readers: [SoakReader]

    init(_ tally: PacedAppendTally, _ readers: [SoakReader]) {
        self.tally = tally
        self.readers = readers
    }

    /// What the last trim has said.
    var first: LogIndex { self.ledger.withLock { $0.first } }

    /// What went back, in words.
    var retreats: [String] { self.ledger.withLock { $0.retreats } }

    /// The log begins at `first` on all nodes soon: nobody has to remember what was before.
    func trimmed(to first: LogIndex) {
        self.ledger.withLock { $0.trimmed(to: first) }
        self.tally.trimmed(before: first)
        for reader in self.readers { reader.forget(before: first) }
    }

    /// Looks at all nodes, and at where their logs begin.
    func look(at cluster: LocalCluster, _ client: HoldfastClient) async -> LocalPicture {
        let question = self.ledger.withLock { $0.ask() }
        let picture = await cluster.look(client)
        self.ledger.withLock { ledger in
            for status in picture.nodes.compactMap(\.status) { ledger.heard(status, askedAs: question) }
        }
        return picture
    }
}
