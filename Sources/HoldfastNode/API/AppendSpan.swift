import HTTPTypes
import HoldfastClient
import LogModel
import Tracing

/// One append as its caller's trace sees it on this node; what happens inside the log is below it.
///
/// There is one only for a request whose `traceparent` says that it is sampled, and only where the program has a tracer: an
/// append that nobody traces costs a look at a field that is read anyway.
struct AppendSpan {
    private let tracer: any Tracer
    private let span: any Span

    init?(_ tracer: (any Tracer)?, _ label: RequestLabel, _ fields: HTTPFields, on node: NodeID) {
        guard let tracer, label.isSampled else { return nil }
        var context = ServiceContext.topLevel
        tracer.extract(fields, into: &context, using: TraceFields())
        self.tracer = tracer
        self.span = tracer.startAnySpan("append", context: context, ofKind: .server)
        self.span.attributes["holdfast.node"] = Int64(node.rawValue)
        self.span.attributes["holdfast.request_id"] = label.id
    }

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

    /// The caller has gone, and with it whoever could be told.
    func abandoned() {
        self.span.setStatus(.init(code: .error, message: "the caller went away"))
        self.span.end()
    }
}
