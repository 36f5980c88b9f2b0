import HTTPTypes
import InMemoryTracing
import Testing

@testable import HoldfastNode

/// Header fields as a caller sends them that traces with the stand-in tracer, too.
enum TracedRequest {
    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

    static let sampledParent = "\(Self.parent)-01"

    static func fields(isSampled: Bool) throws -> HTTPFields {
        var fields: HTTPFields = [.traceparent: "\(Self.parent)-0\(isSampled ? 1 : 0)"]
        fields[try #require(HTTPField.Name(InMemoryTracer.traceIDKey))] = "trace-of-caller"
        fields[try #require(HTTPField.Name(InMemoryTracer.spanIDKey))] = "span-of-caller"
        return fields
    }
}
