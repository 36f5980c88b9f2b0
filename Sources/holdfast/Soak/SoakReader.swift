import HoldfastClient
import LogModel
import Synchronization

/// A reader that follows the log from its first record to its last, through everything.
final class SoakReader: Sendable {
    /// What a reader has seen: the same for all who read the same records in the same order.
    struct Seen: Sendable {
        var count: UInt64 = 0
        /// Records that came out of turn: left out, or a second time.
        var outOfTurn = 0
        private var hasher = Hasher()

        var next: LogIndex { LogIndex(self.count + 1) }
        var digest: Int { self.hasher.finalize() }

        mutating func see(_ record: IndexedRecord) {
            if record.index != self.next { self.outOfTurn += 1 }
            self.count = record.index.rawValue
            self.hasher.combine(record.index)
            self.hasher.combine(record.record.value)
        }
    }

    private let seen = Mutex(Seen())

    var position: Seen { self.seen.withLock { $0 } }

    /// Until it is cancelled, or what it follows ends.
    func follow(_ client: HoldfastClient) async -> Result<Void, any Error> {
        do {
            for try await batch in client.tail(from: .first).batches {
                self.seen.withLock { seen in
                    for record in batch { seen.see(record) }
                }
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// All that one node has, up to a record.
    static func read(_ node: LocalCluster.Node, through last: UInt64, _ client: HoldfastClient) async throws -> Seen {
        var seen = Seen()
        do throws(ClientError) {
            while seen.count < last {
                let limit = Int(min(5_000, last - seen.count))
                let page = try await client.read(
                    from: .index(seen.next), limit: limit, consistency: .committed, at: node.client)
                guard !page.records.isEmpty else { break }
                for record in page.records { seen.see(record) }
            }
        } catch {
            throw CommandFailure(error)
        }
        return seen
    }
}
