import Tracing

/// What `traceparent` says (W3C Trace Context §3.2): which span, of which trace, what follows goes below.
struct TraceParent: Hashable, Sendable {
    /// 32 digits, lower-case hexadecimal, not all zeros.
    let traceID: String
    /// 16 of them.
    let spanID: String
    /// Whether whoever sends it keeps this trace.
    let isSampled: Bool

    static let fieldName = "traceparent"
    private static let byteCountMax = 512

    /// A new span of `parent`'s trace, or of a trace of its own.
    init(below parent: TraceParent?) {
        self.traceID = parent?.traceID ?? (Self.digits() + Self.digits())
        self.spanID = Self.digits()
        self.isSampled = parent?.isSampled ?? true
    }

    /// `00-<32 digits>-<16 digits>-<2 digits>`. A later version may say more behind a further dash.
    ///
    /// - Returns: `nil` for what is not one.
    init?(_ text: String) {
        guard text.utf8.count <= Self.byteCountMax else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            zip(parts, [2, 32, 16, 2]).allSatisfy({ Self.isHexadecimal($0, count: $1) }),
            [parts[1], parts[2]].allSatisfy({ $0.contains { $0 != "0" } })
        else { return nil }
        self.traceID = String(parts[1])
        self.spanID = String(parts[2])
        self.isSampled = UInt8(parts[3], radix: 16).map { $0 & 1 == 1 } ?? false
    }

    /// As it goes on to others.
    var text: String { "00-\(self.traceID)-\(self.spanID)-0\(self.isSampled ? 1 : 0)" }

    /// Sixteen, the first of which is no zero.
    private static func digits() -> String { String(UInt64.random(in: 1 << 60 ... .max), radix: 16) }

    private static func isHexadecimal(_ text: Substring, count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}

extension ServiceContext {
    private enum TraceParentKey: ServiceContextKey {
        typealias Value = TraceParent
        static var nameOverride: String? { TraceParent.fieldName }
    }

    /// The span that others go below, of those that ``NodeTracer`` has begun or heard of.
    var traceParent: TraceParent? {
        get { self[TraceParentKey.self] }
        set { self[TraceParentKey.self] = newValue }
    }
}
