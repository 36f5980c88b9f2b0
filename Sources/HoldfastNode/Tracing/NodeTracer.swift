import Tracing

/// The tracer of `trace.output`: each span that ends becomes one line of a ``SpanOutput``.
///
/// It carries spans from node to node by `traceparent`, and draws no samples of its own: what a caller keeps, it keeps.
struct NodeTracer: Tracer {
    private let output: SpanOutput

    init(_ output: SpanOutput) { self.output = output }

    func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> NodeSpan {
        NodeSpan(
            operationName, in: context(), kind, atNanoseconds: instant().nanosecondsSinceEpoch, to: self.output)
    }

    /// Nothing is held back: a span is on its way when it has ended.
    func forceFlush() {}

    func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Carrier == Inject.Carrier {
        guard let parent = context.traceParent else { return }
        injector.inject(parent.text, forKey: TraceParent.fieldName, into: &carrier)
    }

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Carrier == Extract.Carrier {
        context.traceParent = extractor.extract(key: TraceParent.fieldName, from: carrier).flatMap { TraceParent($0) }
    }
}
