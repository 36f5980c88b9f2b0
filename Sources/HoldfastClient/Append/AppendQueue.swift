import LogModel
import NIOCore
import Tracing

/// Records that wait for their batch, oldest first: bounded, and cut into batches.
struct AppendQueue {
    struct Entry {
        var number: UInt64
        var record: Record
        var since: ContinuousClock.Instant
        /// The span, say, that whoever gave it is in.
        var context: ServiceContext?
        /// Kept exactly once.
        var promise: EventLoopPromise<Result<AppendReceipt, ClientError>>

        var byteCount: Int { self.record.key.count + self.record.value.count }
    }

    private let options: AppenderOptions
    private var entries = CircularBuffer<Entry>()
    private(set) var byteCount = 0

    init(_ options: AppenderOptions) { self.options = options }

    var count: Int { self.entries.count }
    var oldest: Entry? { self.entries.first }

    /// Whether another one has to wait outside.
    var isFull: Bool {
        self.count >= self.options.waitingRecordsMax || self.byteCount >= self.options.waitingByteCountMax
    }

    /// Whether waiting would not make the next batch larger.
    var hasWholeBatch: Bool {
        self.count >= self.options.recordsMax || self.byteCount >= self.options.byteCountMax
    }

    mutating func add(_ entry: Entry) {
        self.entries.append(entry)
        self.byteCount += entry.byteCount
    }

    /// - Returns: `nil` when it is on its way, or was answered.
    mutating func remove(_ number: UInt64) -> Entry? {
        guard let place = self.entries.firstIndex(where: { $0.number == number }) else { return nil }
        let entry = self.entries.remove(at: place)
        self.byteCount -= entry.byteCount
        return entry
    }

    /// Takes the oldest ones off, as many as one batch may hold: at least one when there is one.
    mutating func nextBatch() -> [Entry] {
        var batch: [Entry] = []
        var byteCount = 0
        while let next = self.entries.first, batch.count < self.options.recordsMax,
            batch.isEmpty || byteCount + next.byteCount <= self.options.byteCountMax
        {
            byteCount += next.byteCount
            batch.append(next)
            self.entries.removeFirst()
        }
        self.byteCount -= byteCount
        return batch
    }
}
