import NIOCore
import NIOHTTPTypes

/// Ends connections that keep somebody waiting for longer than they may.
///
///     accepted --head--> reading --end--> answering --end--> idle --head--> ...
///        10 s              60 s      15 s without progress     60 s
///
/// Each state has its own deadline, from when it began: bytes that drip do not put it off.
final class ConnectionDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var deadline: Scheduled<Void>?
    private var unread: Scheduled<Void>?
    private var isReading = false
    /// The request that is read, or was read last, has its whole answer: it may come before all of the body has.
    private var isAnswered = false

    func handlerAdded(context: ChannelHandlerContext) { self.wait(AdminLimits.headMilliseconds, context) }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.deadline?.cancel()
        self.unread?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head:
            self.isReading = true
            self.isAnswered = false
            self.wait(AdminLimits.bodyMilliseconds, context)
        case .body: break
        case .end:
            self.isReading = false
            self.deadline?.cancel()
            if self.isAnswered { self.wait(AdminLimits.idleMilliseconds, context) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = self.unwrapOutboundIn(data) {
            self.isAnswered = true
            if !self.isReading { self.wait(AdminLimits.idleMilliseconds, context) }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.unread?.cancel()
        self.unread = context.channel.isWritable ? nil : self.close(after: AdminLimits.unreadMilliseconds, context)
        context.fireChannelWritabilityChanged()
    }

    private func wait(_ milliseconds: Int64, _ context: ChannelHandlerContext) {
        self.deadline?.cancel()
        self.deadline = self.close(after: milliseconds, context)
    }

    private func close(after milliseconds: Int64, _ context: ChannelHandlerContext) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: .milliseconds(milliseconds)) { channel.close(promise: nil) }
    }
}
