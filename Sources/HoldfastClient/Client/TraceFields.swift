import HTTPTypes
import Tracing

/// Header fields as tracers read and write them: `traceparent`, most of the time.
package struct TraceFields: Extractor, Injector {
    package init() {}

    /// With the span that the caller is in; `fields` themselves outside of every span, at the cost of a look at a task-local
    /// value.
    static func carried(by fields: HTTPFields) -> HTTPFields {
        guard let context = ServiceContext.current else { return fields }
        var fields = fields
        InstrumentationSystem.instrument.inject(context, into: &fields, using: TraceFields())
        return fields
    }

    package func extract(key: String, from fields: HTTPFields) -> String? {
        HTTPField.Name(key).flatMap { fields[$0] }
    }

    package func inject(_ value: String, forKey key: String, into fields: inout HTTPFields) {
        if let name = HTTPField.Name(key) { fields[name] = value }
    }
}
