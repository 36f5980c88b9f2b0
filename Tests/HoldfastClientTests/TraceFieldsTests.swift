import HTTPTypes
import InMemoryTracing
import Testing
import Tracing

@testable import HoldfastClient

@Suite struct TraceFieldsTests {
    @Test func `the caller's span goes along with what is sent, and nothing does outside of one`() throws {
        let tracer = InMemoryTracer()
        let name = try #require(HTTPField.Name(InMemoryTracer.spanIDKey))
        let span = tracer.startSpan("work", context: .topLevel)
        withTracer(tracer) {
            #expect(TraceFields.carried(by: [.accept: "text/plain"]) == [.accept: "text/plain"])
            let carried = ServiceContext.$current.withValue(span.context) {
                TraceFields.carried(by: [.accept: "text/plain"])
            }
            #expect(carried[.accept] == "text/plain" && carried[name] == span.spanID)
        }
        span.end()
    }
}
