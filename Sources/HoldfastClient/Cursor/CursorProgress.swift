import LogModel

/// How far a consumer has come, and how much of that its cursor does not say yet.
struct CursorProgress {
    private let options: ConsumerOptions
    /// Of the record that is to be handled next.
    private(set) var next: LogIndex
    private var unstoredCount = 0
    /// When the oldest record was handled that is not stored.
    private var since: ContinuousClock.Instant?

    init(from next: LogIndex, _ options: ConsumerOptions) {
        self.next = next
        self.options = options
    }

    var isStored: Bool { self.unstoredCount == 0 }

    /// When the position has to be stored, if no more is handled.
    var deadline: ContinuousClock.Instant? { self.since.map { $0 + self.options.interval } }

    func isDue(at now: ContinuousClock.Instant) -> Bool {
        self.unstoredCount >= self.options.recordsMax || self.deadline.map { now >= $0 } ?? false
    }

    mutating func handled(_ index: LogIndex, at now: ContinuousClock.Instant) {
        self.next = index.advanced(by: 1)
        self.unstoredCount += 1
        self.since = self.since ?? now
    }

    mutating func stored() {
        self.unstoredCount = 0
        self.since = nil
    }
}
