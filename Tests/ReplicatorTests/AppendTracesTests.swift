import InMemoryTracing
import LogModel
import ReplicaCore
import SegmentFormat
import Testing
import Tracing

@testable import Replicator

/// Where traced appends spend their time.
@Suite struct AppendTracesTests {
    private let tracer = InMemoryTracer()

    private func names(_ spans: [FinishedInMemorySpan]) -> [String] {
        spans.map { span in
            guard case .int64(let peer)? = span.attributes.get("holdfast.peer") else { return span.operationName }
            return "\(span.operationName) \(peer)"
        }
    }

    private func begun(_ tracer: InMemoryTracer) -> AppendTraces {
        var traces = AppendTraces(tracer)
        var context = ServiceContext.topLevel
        context.requestID = "gate-7"
        let span = tracer.startSpan("append", context: context)
        traces.placed(1, in: span.context, through: Position(0, 200), followers: [NodeID(2), NodeID(3)])
        return traces
    }

    @Test func `each span ends once its part of the log's way is behind the append`() {
        var traces = self.begun(self.tracer)
        traces.advanced(persisted: Position(0, 199), commit: Position(0, 100), followers: { _ in Position(0, 150) })
        #expect(self.tracer.finishedSpans.isEmpty)
        traces.advanced(persisted: Position(0, 200), commit: Position(0, 100), followers: { _ in nil })
        #expect(self.names(self.tracer.finishedSpans) == ["append.sync"])
        traces.advanced(persisted: Position(0, 200), commit: Position(0, 200)) {
            $0 == NodeID(2) ? Position(1, 64) : nil
        }
        #expect(Set(self.names(self.tracer.finishedSpans)) == ["append.sync", "append.commit", "append.replicate 2"])
        traces.answered(1)
        #expect(traces.isEmpty)
        let late = self.tracer.finishedSpans.last
        #expect(late?.attributes.get("holdfast.late") == .bool(true) && late?.status == nil)
        let requests = self.tracer.finishedSpans.map { $0.attributes.get("holdfast.request_id") }
        #expect(requests == Array(repeating: .string("gate-7"), count: 4))
    }

    @Test func `what is answered before it is committed ends as an error`() {
        var traces = self.begun(self.tracer)
        traces.answered(1)
        traces.answered(1)
        let failed = self.tracer.finishedSpans.filter { $0.status?.code == .error }
        #expect(self.names(failed) == ["append.commit"])
        #expect(self.tracer.finishedSpans.count == 4)
    }

    @Test func `beyond the bound an append has no spans of its own here, nor has one without a tracer`() {
        var traces = AppendTraces(self.tracer)
        for id in 0..<UInt64(AppendTraces.countMax) + 5 {
            traces.placed(id, in: .topLevel, through: Position(0, 200), followers: [])
        }
        #expect(self.tracer.activeSpans.count == 2 * AppendTraces.countMax)
        var silent = AppendTraces(nil)
        silent.placed(1, in: .topLevel, through: Position(0, 200), followers: [])
        #expect(silent.isEmpty)
    }

    @Test(.timeLimit(.minutes(1)))
    func `an append through three nodes has all its spans, below that of its request`() async throws {
        let tracer = self.tracer
        let group = try await ReplicatorGroup { $0.tracer = tracer }
        do {
            let leader = try await group.leader()
            let request = tracer.startSpan("append", context: .topLevel)
            let submission = Submission(try .records([Record("x")]))
            let outcome = await withCheckedContinuation { continuation in
                leader.append(submission, in: request.context) { continuation.resume(returning: $0) }
            }
            #expect(try outcome.get().nodes >= 2)
            let spans = tracer.finishedSpans
            #expect(
                spans.map(\.operationName).sorted()
                    == ["append.commit", "append.replicate", "append.replicate", "append.sync"])
            #expect(spans.allSatisfy { $0.parentSpanID == request.spanID && $0.traceID == request.traceID })
            #expect(spans.allSatisfy { $0.status == nil })
            _ = try await leader.append(submission)
            #expect(tracer.finishedSpans.count == 4 && tracer.activeSpans.count == 1)
        } catch {
            await group.end()
            throw error
        }
        await group.end()
    }
}
