import HoldfastClient
import Tracing

/// All that is to be said of a span, as one line of OpenTelemetry's JSON (OTLP 1, `TracesData`): what a collector's
/// `otlpjsonfile` receiver takes, and `jq` as well.
struct EndedSpan: Sendable {
    var name: String
    var own: TraceParent
    /// The id of the span that it is below; `nil` for the first of a trace.
    var parent: String?
    var kind: SpanKind
    /// Nanoseconds since 1970.
    var start: UInt64
    var end: UInt64
    var attributes: SpanAttributes = [:]
    var status: SpanStatus?
    var events: [SpanEvent] = []
    var links: [SpanLink] = []

    /// With its line end.
    ///
    /// - Parameter node: Which it happened on.
    func line(on node: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 768)
        writer.object {
            $0.list("resourceSpans") {
                $0.name("resource")
                $0.object {
                    $0.attributes(["service.name": "holdfast", "service.instance.id": .string(node)])
                }
                $0.list("scopeSpans") {
                    $0.name("scope")
                    $0.object { $0.member("name", "holdfast") }
                    $0.list("spans") { self.write(to: &$0) }
                }
            }
        }
        writer.endLine()
        return writer.bytes
    }

    /// The members of the span itself. 64-bit numbers are strings there, as in all of Protobuf's JSON.
    private func write(to writer: inout JSONWriter) {
        writer.member("traceId", self.own.traceID)
        writer.member("spanId", self.own.spanID)
        if let parent { writer.member("parentSpanId", parent) }
        writer.member("flags", self.own.isSampled ? 1 : 0)
        writer.member("name", self.name)
        writer.member("kind", self.kind.number)
        writer.member("startTimeUnixNano", "\(self.start)")
        writer.member("endTimeUnixNano", "\(self.end)")
        writer.attributes(self.attributes)
        if !self.events.isEmpty {
            writer.list("events", of: self.events) { event, writer in
                writer.member("timeUnixNano", "\(event.nanosecondsSinceEpoch)")
                writer.member("name", event.name)
                writer.attributes(event.attributes)
            }
        }
        let links = self.links.compactMap { link in link.context.traceParent.map { ($0, link.attributes) } }
        if !links.isEmpty {
            writer.list("links", of: links) { link, writer in
                writer.member("traceId", link.0.traceID)
                writer.member("spanId", link.0.spanID)
                writer.attributes(link.1)
            }
        }
        writer.name("status")
        writer.object {
            guard let status else { return }
            if let message = status.message { $0.member("message", message) }
            $0.member("code", status.code == .error ? 2 : 1)
        }
    }
}

extension SpanKind {
    fileprivate var number: Int {
        switch self {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}

extension JSONWriter {
    /// An array of one object.
    fileprivate mutating func list(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        self.name(name)
        self.array { $0.object(body) }
    }

    fileprivate mutating func list<Item>(
        _ name: StaticString, of items: [Item], _ body: (Item, inout JSONWriter) -> Void
    ) {
        self.name(name)
        self.array { writer in for item in items { writer.object { body(item, &$0) } } }
    }

    /// In the order of their names, so that equal spans are equal lines.
    fileprivate mutating func attributes(_ attributes: SpanAttributes) {
        var all: [(String, SpanAttribute)] = []
        attributes.forEach { all.append(($0, $1)) }
        self.list("attributes", of: all.sorted { $0.0 < $1.0 }) { attribute, writer in
            writer.member("key", attribute.0)
            writer.name("value")
            writer.object { $0.value(attribute.1) }
        }
    }

    private mutating func value(_ value: SpanAttribute) {
        switch value {
        case .bool(let value): self.member("boolValue", value)
        case .int32(let value): self.member("intValue", "\(value)")
        case .int64(let value): self.member("intValue", "\(value)")
        case .string(let value): self.member("stringValue", value)
        case .stringConvertible(let value): self.member("stringValue", "\(value)")
        // Nobody here sets others: they are told in words.
        case let other: self.member("stringValue", "\(other)")
        }
    }
}
