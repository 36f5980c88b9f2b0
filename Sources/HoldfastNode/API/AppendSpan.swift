import HTTPTypes
import HoldfastClient
import LogModel
import Replicator
import Tracing

/// Whoever sends a request and keeps a trace of it: this node's spans go below its own.
///
/// There is one only for a request whose `traceparent` says that it is sampled, and only where the program has a tracer: an
/// append that nobody traces costs a look at a field that is read anyway.
struct TracedCaller {
    fileprivate let tracer: any Tracer
    private let context: ServiceContext
    private let node: NodeID

    init?(_ tracer: (any Tracer)?, _ label: RequestLabel, _ fields: HTTPFields, on node: NodeID) {
        guard let tracer, label.isSampled else { return nil }
        var context = ServiceContext.topLevel
        tracer.extract(fields, into: &context, using: TraceFields())
        context.requestID = label.id
        self.tracer = tracer
        self.context = context
        self.node = node
    }

    func begin() -> AppendSpan {
        let span = self.tracer.startAnySpan("append", context: self.context, ofKind: .server)
        span.attributes["holdfast.node"] = Int64(self.node.rawValue)
        span.attributes["holdfast.request_id"] = self.context.requestID
        return AppendSpan(tracer: self.tracer, span: span)
    }
}

/// One append as its caller's trace sees it on this node; what happens inside the log is below it.
struct AppendSpan {
    fileprivate let tracer: any Tracer
    let span: any Span

    var context: ServiceContext { self.span.context }

    /// The request as it goes on to the leader, whose span is below this one.
    func carried(by head: HTTPRequest) -> HTTPRequest {
        var head = head
        self.tracer.inject(self.context, into: &head.headerFields, using: TraceFields())
        return head
    }

    func ended(with status: HTTPResponse.Status) {
        self.span.attributes["http.response.status_code"] = Int64(status.code)
        if status.code >= 500 { self.span.setStatus(.init(code: .error, message: status.reasonPhrase)) }
        self.span.end()
    }

    /// Nobody is told what became of it.
    ///
    /// - Parameter reason: Why; by default the caller has gone.
    func abandoned(_ reason: String = "the caller went away") {
        self.span.setStatus(.init(code: .error, message: reason))
        self.span.end()
    }
}
