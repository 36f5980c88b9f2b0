import NIOCore
import NIOHTTPTypes

/// Ends connections that keep this side waiting for longer than ``ConnectionBounds`` allows: for a head, for more of a
/// body, for the next request.
///
/// Rule: a client that has closed its half of the connection (RFC 9293 §3.6) gets what it asked for while anything of it is
/// written. Why: TCP does not tell one that asks nothing more from one that is gone before something is sent to it.
final class ConnectionDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: AdminConnections
    private var deadline: Scheduled<Void>?
    private var isReading = false
    /// Of the request that is read.
    private var bodyByteCount = 0
    /// Since the deadline of the body began.
    private var progressByteCount = 0
    /// Requests that were read, or are being read, and have no whole answer: more than one of whoever pipelines.
    private var unansweredCount = 0
    /// The other side sends nothing more.
    private var isInputClosed = false

    private var bounds: ConnectionBounds { self.connections.bounds }

    init(_ connections: AdminConnections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) {
        self.wait(self.bounds.headMilliseconds, .headersDeadline, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.deadline?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head:
            self.isReading = true
            self.bodyByteCount = 0
            self.unansweredCount += 1
            self.waitForBody(context)
        case .body(let bytes):
            self.bodyByteCount += bytes.readableBytes
            self.progressByteCount += bytes.readableBytes
            guard self.bodyByteCount <= self.bounds.bodyByteCountMax else { return self.cut(.bodyBytes, context) }
            if self.progressByteCount >= self.bounds.progressByteCountMin { self.waitForBody(context) }
        case .end:
            self.isReading = false
            self.deadline?.cancel()
            self.becomeIdle(context)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = self.unwrapOutboundIn(data) {
            // What is no request is answered, too.
            self.unansweredCount = max(0, self.unansweredCount - 1)
            self.becomeIdle(context)
        }
        if self.isInputClosed { self.waitForNothing(context) }
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed {
            self.isInputClosed = true
            self.waitForNothing(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// An answer may come before all of the body has.
    private func becomeIdle(_ context: ChannelHandlerContext) {
        guard !self.isReading, self.unansweredCount == 0 else { return }
        self.waitForNothing(context)
    }

    /// That a client has nothing more to ask is no breach.
    private func waitForNothing(_ context: ChannelHandlerContext) {
        self.wait(self.bounds.idleMilliseconds, nil, context)
    }

    private func waitForBody(_ context: ChannelHandlerContext) {
        self.progressByteCount = 0
        self.wait(self.bounds.bodyMilliseconds, .bodyDeadline, context)
    }

    private func wait(_ milliseconds: UInt64, _ breach: ConnectionBreach?, _ context: ChannelHandlerContext) {
        self.deadline?.cancel()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.deadline = context.eventLoop.scheduleTask(in: .milliseconds(Int64(clamping: milliseconds))) {
            let (handler, context) = bound.value
            handler.cut(breach, context)
        }
    }

    private func cut(_ breach: ConnectionBreach?, _ context: ChannelHandlerContext) {
        if let breach { self.connections.record(breach, by: context.remoteAddress) }
        context.channel.close(promise: nil)
    }
}
