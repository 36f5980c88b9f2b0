/// 128 bits of the hash of what a client sent as `Idempotency-Key`: keys of any length, in a frame's fixed fields.
package struct IdempotencyKey: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// By what the log recognises an append that is sent again.
package enum AppendLabel: Hashable, Sendable {
    case producer(ProducerSequence)
    /// Each record of the frame is an append of its own: the first has this sequence, each further one the next.
    case run(from: ProducerSequence)
    case key(IdempotencyKey)
}
