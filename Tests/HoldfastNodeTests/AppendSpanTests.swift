import HTTPTypes
import InMemoryTracing
import LogModel
import Testing
import Tracing

@testable import HoldfastNode

/// What a caller's trace sees of an append's request.
@Suite struct AppendSpanTests {
    private let tracer = InMemoryTracer()

    @Test func `a sampled append has a span below its caller's, with its status`() async throws {
        let listener = try await Listener.start(tracer: self.tracer)
        let fields = try TracedRequest.fields(isSampled: true)
        let answer = try await listener.ask(.post, "/v1/records", fields, body: "x")
        #expect(answer.status == 201)
        listener.log.fail(appends: .timedOut)
        #expect(try await listener.ask(.post, "/v1/records", fields, body: "x").status == 504)
        await listener.stop()
        let spans = self.tracer.finishedSpans
        #expect(spans.map(\.operationName) == ["append", "append"])
        #expect(spans.allSatisfy { $0.traceID == "trace-of-caller" && $0.parentSpanID == "span-of-caller" })
        #expect(spans.map { $0.attributes.get("http.response.status_code") } == [.int64(201), .int64(504)])
        #expect(spans.map { $0.status?.code } == [nil, .error])
    }

    @Test func `an append that is not sampled has none, nor has a read`() async throws {
        let listener = try await Listener.start(tracer: self.tracer)
        #expect(
            try await listener.ask(.post, "/v1/records", TracedRequest.fields(isSampled: false), body: "x").status
                == 201)
        #expect(try await listener.ask(.post, "/v1/records", body: "x").status == 201)
        #expect(try await listener.ask(.get, "/v1/records", TracedRequest.fields(isSampled: true)).status == 200)
        await listener.stop()
        #expect(self.tracer.finishedSpans.isEmpty && self.tracer.activeSpans.isEmpty)
    }

    @Test func `the leader's span is below that of the node that passed the append on`() async throws {
        let leader = try await Listener.start(tracer: self.tracer)
        let follower = try await Listener.start(leader: leader.address, tracer: self.tracer)
        let answer = try await follower.ask(.post, "/v1/records", TracedRequest.fields(isSampled: true), body: "x")
        #expect(answer.status == 201)
        await follower.stop()
        await leader.stop()
        let spans = self.tracer.finishedSpans
        #expect(spans.count == 2)
        let outer = try #require(spans.first { $0.parentSpanID == "span-of-caller" })
        #expect(spans.contains { $0.parentSpanID == outer.spanID && $0.traceID == "trace-of-caller" })
    }
}
