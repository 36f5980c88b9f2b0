import HTTPTypes
import Tracing

/// What a caller's trace sees of its session: a span for each frame that the session asks the log for, which is one batch, or
/// a run of batches.
///
///     asked for --> append -------------------------------> answered, or the session is over
///                     '--> append.sync, append.replicate, append.commit: inside the log
///
/// Bounded: while ``NodeLimits/sessionSpansMax`` of them are not answered, further frames have none. So a session under full
/// load is sampled, and one that waits for each answer is traced whole.
///
/// A session that nobody traces has no such value, and asks for each frame whether it has: nothing is made.
struct SessionSpans {
    private let caller: TracedCaller
    /// By the number of the slot.
    private var open: [Int: AppendSpan] = [:]

    init?(_ caller: TracedCaller?) {
        guard let caller else { return nil }
        self.caller = caller
    }

    /// - Parameters:
    ///   - number: Of the slot: one that is asked for again, in parts, keeps its span.
    ///   - sequence: Of its first batch.
    ///   - count: How many batches it holds.
    /// - Returns: What the log's spans go below; `nil` for a frame that has none.
    mutating func asked(_ number: Int, from sequence: UInt64, count: Int) -> ServiceContext? {
        if let known = self.open[number] { return known.context }
        guard self.open.count < NodeLimits.sessionSpansMax else { return nil }
        let append = self.caller.begin()
        append.span.attributes["holdfast.sequence"] = Int64(clamping: sequence)
        append.span.attributes["holdfast.batches"] = Int64(count)
        self.open[number] = append
        return append.context
    }

    mutating func answered(_ number: Int, with status: HTTPResponse.Status) {
        self.open.removeValue(forKey: number)?.ended(with: status)
    }

    /// The session is over: nobody hears any more of what still was under way.
    mutating func abandon(_ reason: String) {
        for append in self.open.values { append.abandoned(reason) }
        self.open = [:]
    }
}
