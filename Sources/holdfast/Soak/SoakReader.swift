import DequeModule
import HoldfastClient
import LogModel
import Synchronization

/// A reader that follows the log from its first record to its last, through everything.
final class SoakReader: Sendable {
    /// What a reader has seen: the same for all who read the same records in the same order.
    struct Seen: Sendable {
        /// The first record that ``digest`` and ``count`` are about.
        private(set) var first: LogIndex
        private(set) var next: LogIndex
        /// Records that came out of turn: left out, or a second time.
        var outOfTurn = 0
        /// How often what came next was trimmed, and it went on where the log begins.
        private(set) var trimCount = 0
        /// Of each record from ``first`` on: eight bytes for each that is kept.
        private var hashes: Deque<Int> = []

        init(from first: LogIndex) {
            self.first = first
            self.next = first
        }

        var count: UInt64 { UInt64(self.hashes.count) }

        var digest: Int {
            var hasher = Hasher()
            for hash in self.hashes { hasher.combine(hash) }
            return hasher.finalize()
        }

        mutating func see(_ record: IndexedRecord) {
            if record.index != self.next { self.outOfTurn += 1 }
            self.next = record.index.advanced(by: 1)
            var hasher = Hasher()
            hasher.combine(record.index)
            hasher.combine(record.record.value)
            self.hashes.append(hasher.finalize())
        }

        /// Records before `first` count no more.
        mutating func forget(before first: LogIndex) {
            guard first > self.first else { return }
            self.hashes.removeFirst(Int(min(first.rawValue - self.first.rawValue, self.count)))
            self.first = first
        }

        /// The log begins behind what came next.
        mutating func skip(to first: LogIndex) {
            self.trimCount += 1
            // Whoever is told so must have stood below.
            if first <= self.next { self.outOfTurn += 1 }
            self.hashes.removeAll()
            self.first = first
            self.next = first
        }
    }

    private let seen: Mutex<Seen>

    init(from first: LogIndex = .first) { self.seen = Mutex(Seen(from: first)) }

    var position: Seen { self.seen.withLock { $0 } }

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
    ) async throws -> Seen {
        var seen = Seen(from: first)
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
