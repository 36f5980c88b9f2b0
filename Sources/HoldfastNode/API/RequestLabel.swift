import HTTPTypes
import HoldfastClient

/// By what one request is found again: in its answer (`X-Request-Id`), in the journals of the nodes that it passes, and in
/// the caller's own traces. A `traceparent` goes on to the leader as it came, but for an append that this node has a span of:
/// then it names that span, in the same trace (``AppendSpan/carried(by:)``).
struct RequestLabel: Hashable, Sendable {
    /// The caller's, where it is a good one; else drawn here.
    let id: String
    /// The trace id that the caller's `traceparent` names, if it does so rightly.
    let trace: String?
    /// Whether the caller says that it keeps this trace.
    let isSampled: Bool

    /// Of a request that said nothing.
    init() {
        self.id = RequestID.drawn()
        self.trace = nil
        self.isSampled = false
    }

    init(_ fields: HTTPFields) {
        self.id = RequestID.of(fields)
        let parent = fields[.traceparent].flatMap { TraceParent($0) }
        self.trace = parent?.traceID
        self.isSampled = parent?.isSampled ?? false
    }
}
