import CLinux
import HTTP2Session
import LogModel
import NIOCore

/// What a peer that makes no progress runs into. One timer per connection looks at all of them.
extension ConnectionHandler {
    func scheduleTick(_ context: ChannelHandlerContext) {
        let shortest = min(
            self.limits.prefaceMilliseconds, self.limits.settingsMilliseconds, self.limits.headersMilliseconds,
            self.limits.idleMilliseconds, self.limits.silenceMilliseconds, self.limits.bodyProgressMilliseconds,
            self.limits.unreadMilliseconds)
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
            if self.hasPassed(self.limits.prefaceMilliseconds, since: self.startedAt) { self.cut(.prefaceDeadline) }
            return
        }
        // First: to a peer that reads nothing, not even a GOAWAY can be said.
        if self.role == .server, !context.channel.isWritable, self.isUnread(context) {
            return self.cut(.unreadDeadline)
        }
        if !self.session.isAcknowledged, self.hasPassed(self.limits.settingsMilliseconds, since: self.startedAt) {
            return self.end(.settingsTimeout, .settingsDeadline)
        }
        if let since = self.session.headersPendingSince?.nanoseconds,
            self.hasPassed(self.limits.headersMilliseconds, since: since)
        {
            return self.end(.protocolError, .headersDeadline)
        }
        guard self.role == .server else { return }
        if self.streams.isEmpty {
            let idle = self.isKept ? self.limits.keptIdleMilliseconds : self.limits.idleMilliseconds
            if self.hasPassed(idle, since: self.idleSince) { self.end(.noError, nil) }
            return
        }
        self.resetStuckStreams(isWritable: context.channel.isWritable)
        if self.hasPassed(self.limits.silenceMilliseconds, since: self.receivedAt) {
            self.probe(within: self.limits.probeMilliseconds)
        }
    }

    private func isUnread(_ context: ChannelHandlerContext) -> Bool {
        let since = self.unread.looked(waitingByteCount: context.untakenByteCount, now: self.now)
        return self.hasPassed(self.limits.unreadMilliseconds, since: since)
    }

    private func resetStuckStreams(isWritable: Bool) {
        for stream in Array(self.streams.values) {
            // What the socket does not take keeps all streams waiting, and has a deadline of its own.
            if !isWritable { stream.waitedForSocket(now: self.now) }
            guard let breach = self.breach(of: stream) else { continue }
            guard self.stalls.spend(now: MonotonicTime(nanoseconds: self.now)) else {
                return self.end(.enhanceYourCalm, .stalls)
            }
            self.record(breach)
            self.reset(stream, .cancel, reason: .timedOut)
        }
    }

    /// Which deadline the stream has passed.
    private func breach(of stream: HTTP2Stream) -> HTTP2Breach? {
        if stream.bufferedByteCount > 0 {
            return self.hasPassed(self.limits.unreadMilliseconds, since: stream.sentAt) ? .unreadDeadline : nil
        }
        // What is unconsumed waits for our own handler, not for the peer.
        guard !stream.isLongLived, !stream.isEndReceived, stream.unconsumedByteCount == 0 else { return nil }
        return self.hasPassed(self.limits.bodyProgressMilliseconds, since: stream.receivedAt) ? .bodyDeadline : nil
    }

    private func hasPassed(_ milliseconds: UInt64, since start: UInt64) -> Bool {
        self.now >= start && self.now - start >= milliseconds * 1_000_000
    }

    /// With a GOAWAY.
    private func end(_ code: HTTP2FailureCode, _ breach: HTTP2Breach?) {
        guard self.session.failure == nil else {
            // It was told at an earlier look, and the GOAWAY did not leave; on a busy machine its turn may still come.
            if !self.isPumpScheduled { self.closeNow() }
            return
        }
        if let breach { self.record(breach) }
        self.session.terminate(code)
        self.setNeedsPump()
    }

    /// Without a word: the peer would not take it.
    private func cut(_ breach: HTTP2Breach) {
        self.record(breach)
        self.closeNow()
    }
}

extension ChannelHandlerContext {
    /// What was written and the other side has not taken: bytes that wait for the socket, and those that it was given and
    /// that are not acknowledged.
    package var untakenByteCount: Int {
        let buffered = (try? self.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        return buffered + self.askSocket(holdfast_unacknowledged_byte_count)
    }

    /// Asks the channel's socket for a number of bytes; 0 when it has none.
    func askSocket(_ ask: (CInt) -> CInt) -> Int {
        let count = try? self.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            Int(ask($0))
        }
        return count ?? 0
    }
}
