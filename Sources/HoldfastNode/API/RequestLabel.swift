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

    static let byteCountMax = 128

    /// Of a request that said nothing.
    init() {
        self.id = String(UInt64.random(in: 1 << 60 ... .max), radix: 16)  // sixteen digits
        self.trace = nil
        self.isSampled = false
    }

    init(_ fields: HTTPFields) {
        let said = fields[.xRequestID].flatMap { Self.isGood($0) ? $0 : nil }
        self.id = said ?? RequestLabel().id
        let parent = fields[.traceparent].flatMap { TraceParent($0) }
        self.trace = parent?.traceID
        self.isSampled = parent?.isSampled ?? false
    }

    /// What stands in a log line and a header as it is.
    private static func isGood(_ id: String) -> Bool {
        (1...Self.byteCountMax).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                    UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }
}
