import DiskIO
import Tracing

/// A span that is under way; its end sends it to the output, once.
final class NodeSpan: Span {
    /// Events and links of one span: further ones are left out.
    static let partsMax = 32

    let context: ServiceContext
    private let output: SpanOutput
    private let state: Lock<EndedSpan>
    private let isEnded = Lock(false)

    init(
        _ name: String, in context: ServiceContext, _ kind: SpanKind, atNanoseconds start: UInt64, to output: SpanOutput
    ) {
        let parent = context.traceParent
        let own = TraceParent(below: parent)
        var inner = context
        inner.traceParent = own
        self.context = inner
        self.output = output
        self.state = Lock(EndedSpan(name: name, own: own, parent: parent?.spanID, kind: kind, start: start, end: start))
    }

    var isRecording: Bool { !self.isEnded.withLock { $0 } }

    var operationName: String {
        get { self.state.withLock { $0.name } }
        set { self.state.withLock { $0.name = newValue } }
    }

    var attributes: SpanAttributes {
        get { self.state.withLock { $0.attributes } }
        set { self.state.withLock { $0.attributes = newValue } }
    }

    func setStatus(_ status: SpanStatus) { self.state.withLock { $0.status = status } }

    func addEvent(_ event: SpanEvent) {
        self.state.withLock { if $0.events.count < Self.partsMax { $0.events.append(event) } }
    }

    func addLink(_ link: SpanLink) {
        self.state.withLock { if $0.links.count < Self.partsMax { $0.links.append(link) } }
    }

    /// Names the error's type: its words may quote what a client sent.
    func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        var attributes = attributes
        attributes["exception.type"] = "\(type(of: error))"
        self.addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let isFirst = self.isEnded.withLock { isEnded in
            defer { isEnded = true }
            return !isEnded
        }
        guard isFirst else { return }
        let end = instant().nanosecondsSinceEpoch
        self.output.ended(
            self.state.withLock { state in
                // A clock that was set back meanwhile makes no span that ends before it begins.
                state.end = max(end, state.start)
                return state
            })
    }
}
