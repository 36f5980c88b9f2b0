import HoldfastClient
import LogModel
import Synchronization

/// A reader that follows the log from its first record to its last, through everything.
final class SoakReader: Sendable {
    private let seen: Mutex<ReadLedger>

    init(from first: LogIndex = .first) { self.seen = Mutex(ReadLedger(from: first)) }

    var position: ReadLedger { self.seen.withLock { $0 } }

    func forget(before first: LogIndex) { self.seen.withLock { $0.forget(before: first) } }

    /// Until it is cancelled, or what it follows ends. What is trimmed before it came there is passed over.
    func follow(_ client: HoldfastClient) async -> Result<Void, any Error> {
        while true {
            do {
                for try await batch in client.tail(from: .index(self.position.next)).batches {
                    self.seen.withLock { seen in
                        for record in batch { seen.see(record) }
                    }
                }
                return .success(())
            } catch ClientError.trimmed(let first) {
                self.seen.withLock { $0.skip(to: first) }
            } catch {
                return .failure(error)
            }
        }
    }

    /// What one node has, from one record through another.
    static func read(
        _ node: LocalCluster.Node, from first: LogIndex, through last: UInt64, _ client: HoldfastClient
    ) async throws -> ReadLedger {
        var seen = ReadLedger(from: first)
        do throws(ClientError) {
            while seen.next.rawValue <= last {
                let limit = Int(min(5_000, last - seen.next.rawValue + 1))
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
