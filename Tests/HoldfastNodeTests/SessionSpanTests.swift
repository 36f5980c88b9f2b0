import HTTPTypes
import HoldfastClient
import InMemoryTracing
import LogModel
import NIOCore
import Testing
import Tracing

@testable import HoldfastNode

/// What a caller's trace sees of a session's appends.
@Suite(.timeLimit(.minutes(1))) struct SessionSpanTests {
    private let tracer = InMemoryTracer()

    private func with(isSampled: Bool = true, _ body: (Listener, inout RawSession) async throws -> Void) async throws {
        let listener = try await Listener.start(tracer: self.tracer)
        do {
            var session = try await RawSession.open(at: listener, TracedRequest.fields(isSampled: isSampled))
            try await body(listener, &session)
            session.finish()
        } catch { Issue.record(error) }
        await listener.stop()
    }

    /// Batches of single records, behind each other.
    private func batches(_ sequences: ClosedRange<UInt64>, records count: Int = 1) -> ByteBuffer {
        var bytes = ByteBuffer()
        for sequence in sequences {
            var batch = SessionBatch.encode((0..<count).map { Record("value \(sequence).\($0)") })
            SessionBatch.number(&batch, as: sequence)
            bytes.writeBuffer(&batch)
        }
        return bytes
    }

    /// Waits until as many spans have ended.
    private func ended(_ count: Int) async throws -> [FinishedInMemorySpan] {
        while self.tracer.finishedSpans.count < count { try await Task.sleep(for: .milliseconds(2)) }
        return self.tracer.finishedSpans
    }

    private func numbers(_ key: String, of spans: [FinishedInMemorySpan]) -> [Int64?] {
        spans.map { if case .int64(let number)? = $0.attributes.get(key) { number } else { nil } }
    }

    @Test func `each frame of a sampled session has a span below its caller's: a run of batches has one`() async throws
    {
        try await self.with { listener, session in
            session.send(self.batches(1...1))
            _ = try await session.receipts(1)
            session.send(self.batches(2...51))
            _ = try await session.receipts(50)
            session.send(self.batches(52...53, records: 3))
            _ = try await session.receipts(2)
            let spans = try await self.ended(4)
            #expect(spans.allSatisfy { $0.operationName == "append" && $0.kind == .server })
            #expect(spans.allSatisfy { $0.traceID == "trace-of-caller" && $0.parentSpanID == "span-of-caller" })
            #expect(self.numbers("holdfast.sequence", of: spans) == [1, 2, 52, 53])
            #expect(self.numbers("holdfast.batches", of: spans) == [1, 50, 1, 1])
            #expect(self.numbers("http.response.status_code", of: spans) == [201, 201, 201, 201])
            #expect(spans.allSatisfy { $0.status == nil })
            #expect(listener.log.tracedCount == 4 && listener.log.appendCount == 4)
            #expect(self.tracer.activeSpans.isEmpty)
        }
    }

    @Test func `a session that is not sampled has none`() async throws {
        try await self.with(isSampled: false) { listener, session in
            session.send(self.batches(1...20))
            _ = try await session.receipts(20)
            #expect(listener.log.tracedCount == 0)
            #expect(self.tracer.finishedSpans.isEmpty && self.tracer.activeSpans.isEmpty)
        }
    }

    @Test func `the append that ends a session carries its failure, and those behind it say so`() async throws {
        try await self.with { listener, session in
            session.send(self.batches(1...1))
            _ = try await session.receipts(1)
            listener.log.fail(appends: .timedOut)
            session.send(self.batches(2...4, records: 2))
            guard case .failed(2, _) = await session.next() else {
                Issue.record("the session goes on")
                return
            }
            let spans = try await self.ended(4)
            #expect(self.numbers("http.response.status_code", of: spans) == [201, 504, nil, nil])
            #expect(spans.map { $0.status?.code } == [nil, .error, .error, .error])
            #expect(spans.last?.status?.message == "the session ended at an append before")
        }
    }

    @Test func `a run that is taken apart keeps its span until its last batch is answered`() async throws {
        try await self.with { listener, session in
            session.send(self.batches(1...1))
            _ = try await session.receipts(1)
            // Another session of this producer was faster with two of them.
            var other = try await RawSession.open(at: listener)
            other.send(self.batches(2...3))
            _ = try await other.receipts(2)
            other.finish()
            session.send(self.batches(2...6))
            _ = try await session.receipts(5)
            let spans = try await self.ended(2)
            #expect(self.numbers("holdfast.batches", of: spans) == [1, 5])
            #expect(self.numbers("http.response.status_code", of: spans) == [201, 201])
            // The run, and then each of its batches.
            #expect(listener.log.tracedCount == 1 + 1 + 5)
        }
    }

    @Test func `beyond the bound appends have no spans, and a caller that goes away ends those there are`() async throws
    {
        try await self.with { listener, session in
            listener.log.holdAppends()
            session.send(self.batches(1...40, records: 2))
            while listener.log.appendCount < 40 { try await Task.sleep(for: .milliseconds(2)) }
            #expect(self.tracer.activeSpans.count == NodeLimits.sessionSpansMax)
            #expect(listener.log.tracedCount == NodeLimits.sessionSpansMax)
            session.finish()
            let spans = try await self.ended(NodeLimits.sessionSpansMax)
            #expect(spans.allSatisfy { $0.status?.code == .error && $0.status?.message == "the caller went away" })
            #expect(self.tracer.activeSpans.isEmpty)
        }
    }

    @Test func `the client's session belongs to the span in which it was opened`() async throws {
        let listener = try await Listener.start(tracer: self.tracer)
        listener.log.setPeers(FakeLog.peers(ports: [listener.server.port, 1]))
        let client = HoldfastClient(servers: [listener.address])
        let caller = self.tracer.startSpan("work", context: .topLevel)
        do {
            let session = try await withTracer(SampledTracer(tracer: self.tracer)) {
                try await ServiceContext.withValue(caller.context) { try await client.openSession() }
            }
            _ = try await session.send([Record("x")]).receipt
            try await session.finish()
            let spans = try await self.ended(1)
            #expect(spans.map(\.operationName) == ["append"])
            #expect(spans[0].parentSpanID == caller.spanID && spans[0].traceID == caller.traceID)
        } catch { Issue.record(error) }
        caller.end()
        await client.shutdown()
        await listener.stop()
    }
}

/// Says in `traceparent`, too, that all is sampled, as tracers of the field do.
private struct SampledTracer: Tracer {
    let tracer: InMemoryTracer

    func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> InMemorySpan {
        self.tracer.startSpan(
            operationName, context: context(), ofKind: kind, at: instant(), function: function, file: fileID,
            line: line)
    }

    func forceFlush() { self.tracer.forceFlush() }

    func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Carrier == Inject.Carrier {
        self.tracer.inject(context, into: &carrier, using: injector)
        injector.inject(TracedRequest.sampledParent, forKey: "traceparent", into: &carrier)
    }

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Carrier == Extract.Carrier {
        self.tracer.extract(carrier, into: &context, using: extractor)
    }
}
