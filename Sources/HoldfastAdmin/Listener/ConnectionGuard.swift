import HTTP2Transport
import NIOCore

/// Lets a connection in, and ends it once its other side does not take what it is given.
///
/// It stands next to the socket, so that it sees all bytes. Rule: what counts is what the other side has acknowledged, and
/// not whether the channel takes more. Why: a stream of small events fills what the kernel keeps for a socket (megabytes)
/// only after minutes.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let connections: AdminConnections
    private var taking: TakingWatch
    /// Whom it is counted for, kept since a socket that is closed does not say any more.
    private var address: SocketAddress?
    private var isCounted = false
    private var look: RepeatedTask?

    init(_ connections: AdminConnections) {
        self.connections = connections
        self.taking = TakingWatch(progressByteCountMin: connections.bounds.progressByteCountMin)
    }

    func channelActive(context: ChannelHandlerContext) {
        let address = context.remoteAddress
        if let breach = self.connections.add(address) {
            self.connections.record(breach, by: address)
            // No byte of it is read: whoever floods a full listener with connections costs it little.
            return context.close(promise: nil)
        }
        self.address = address
        self.isCounted = true
        let interval = TimeAmount.milliseconds(Int64(clamping: self.connections.bounds.unreadMilliseconds / 8))
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.look = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (handler, context) = bound.value
            handler.lookAtSocket(context)
        }
        context.fireChannelActive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        self.taking.written += self.unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.end() }

    private func end() {
        self.look?.cancel()
        self.look = nil
        guard self.isCounted else { return }
        self.isCounted = false
        self.connections.remove(self.address)
    }

    private func lookAtSocket(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now().uptimeNanoseconds
        let since = self.taking.looked(untakenByteCount: context.untakenByteCount, now: now)
        guard now - since >= self.connections.bounds.unreadMilliseconds * 1_000_000 else { return }
        self.connections.record(.unreadDeadline, by: context.remoteAddress)
        context.close(promise: nil)
    }
}

/// Whether the other side of a connection takes what is written to it, while more is.
///
///     written:  |---- taken ----|---- untaken ----|
///                               '--> only this way, by whoever reads
struct TakingWatch {
    /// Fewer bytes are no progress, unless they are all that there was.
    let progressByteCountMin: Int
    /// Bytes since the connection began.
    var written = 0
    /// What was taken at the last progress, how much more there was, and when that was, in monotonic nanoseconds.
    private var last: (taken: Int, untaken: Int, at: UInt64)?

    init(progressByteCountMin: Int) { self.progressByteCountMin = progressByteCountMin }

    /// - Parameter untakenByteCount: Of ``written``, what the other side has not acknowledged.
    /// - Returns: The last progress; `now` when nothing waits to be taken.
    mutating func looked(untakenByteCount: Int, now: UInt64) -> UInt64 {
        let taken = self.written - untakenByteCount
        if untakenByteCount > 0, let last, taken - last.taken < min(self.progressByteCountMin, last.untaken) {
            return last.at
        }
        self.last = untakenByteCount > 0 ? (taken, untakenByteCount, now) : nil
        return now
    }
}
