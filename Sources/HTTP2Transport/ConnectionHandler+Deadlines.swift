import HTTP2Session
import NIOCore

/// What a peer that makes no progress runs into. One timer per connection looks at all of them.
extension ConnectionHandler {
    func scheduleTick(_ context: ChannelHandlerContext) {
        let shortest = min(
            self.limits.prefaceMilliseconds, self.limits.headersMilliseconds, self.limits.idleMilliseconds,
            self.limits.bodyProgressMilliseconds, self.limits.unreadMilliseconds)
        let interval = TimeAmount.milliseconds(Int64(clamping: min(max(shortest / 4, 5), 1_000)))
        self.eventLoop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            guard let self, self.phase != .closed, let context = self.context else { return }
            self.tick(context)
            self.scheduleTick(context)
        }
    }

    private func tick(_ context: ChannelHandlerContext) {
        self.now = NIODeadline.now().uptimeNanoseconds
        guard self.phase == .open || self.phase == .sniffing else { return }
        if !self.session.hasPeerSettings {
            if self.hasPassed(self.limits.prefaceMilliseconds, since: self.startedAt) { self.closeNow() }
            return
        }
        if let since = self.session.headersPendingSince?.nanoseconds,
            self.hasPassed(self.limits.headersMilliseconds, since: since)
        {
            return self.end(.protocolError)
        }
        guard self.role == .server else { return }
        if let since = self.unwritableSince, self.hasPassed(self.limits.unreadMilliseconds, since: since) {
            return self.closeNow()
        }
        if self.streams.isEmpty {
            if self.hasPassed(self.limits.idleMilliseconds, since: self.idleSince) { self.end(.noError) }
            return
        }
        for stream in Array(self.streams.values) where self.isStuck(stream) {
            self.reset(stream, .cancel, reason: .timedOut)
        }
    }

    private func isStuck(_ stream: HTTP2Stream) -> Bool {
        if stream.bufferedByteCount > 0 { return self.hasPassed(self.limits.unreadMilliseconds, since: stream.sentAt) }
        // What is unconsumed waits for our own handler, not for the peer.
        guard !stream.isLongLived, !stream.isEndReceived, stream.unconsumedByteCount == 0 else { return false }
        return self.hasPassed(self.limits.bodyProgressMilliseconds, since: stream.receivedAt)
    }

    private func hasPassed(_ milliseconds: UInt64, since start: UInt64) -> Bool {
        self.now >= start && self.now - start >= milliseconds * 1_000_000
    }

    private func end(_ code: HTTP2FailureCode) {
        self.session.terminate(code)
        self.setNeedsPump()
    }
}
