import HTTP2Session
import NIOCore

/// The ways a connection ends: asked to, failed, or lost.
extension ConnectionHandler {
    /// Takes no more streams, lets the open ones end, then closes. Long-lived streams are reset now.
    func shutDown() {
        guard self.phase == .open else { return self.closeNow() }
        self.isGoingAway = true
        for stream in Array(self.streams.values) where stream.isLongLived {
            self.reset(stream, .cancel, reason: .cancelled)
        }
        self.session.announceShutdown()
        if self.role == .server { self.session.ping(Self.shutdownPing) }
        self.setNeedsPump()
    }

    /// Closes the connection unless the peer says something, be it the answer to a ping, within `milliseconds`.
    func probe(within milliseconds: UInt64) {
        guard self.phase == .open, !self.isProbing else { return }
        self.isProbing = true
        let start = NIODeadline.now().uptimeNanoseconds
        self.session.ping(0)
        self.setNeedsPump()
        self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(clamping: milliseconds))) { [weak self] in
            guard let self else { return }
            self.isProbing = false
            guard self.phase == .open, self.receivedAt < start else { return }
            self.record(.silence)
            self.closeNow()
        }
    }

    func closeNow() { self.context?.close(promise: nil) }

    /// Tells the listener of it; a client says it itself.
    func record(_ breach: HTTP2Breach) { self.listener?.record(breach, by: self.authority) }

    func fail(_ error: HTTP2SessionError) {
        if let listener, let breach = HTTP2Breach(error) {
            listener.record(breach, by: self.authority)
        } else {
            self.logger.info("connection given up", metadata: ["error": "\(error)", "peer": "\(self.authority)"])
        }
        guard let context else { return }
        _ = self.session.drain(byteCountMax: Self.drainByteCount)
        self.writer.write(self.session, streams: self.streams, context: context, now: self.now)
        self.linger(context)
    }

    /// Answers in plain text and closes.
    func refuse(_ context: ChannelHandlerContext, with text: String) {
        context.write(Self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        self.linger(context)
    }

    /// Ends the output and reads on for a moment, so that the peer gets to see what was said before the socket goes.
    func linger(_ context: ChannelHandlerContext) {
        self.phase = .lingering
        self.closeStreams()
        context.flush()
        context.close(mode: .output, promise: nil)
        self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Self.lingerMilliseconds)) { self.closeNow() }
    }

    func connectionLost() {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.closeStreams()
    }

    private func closeStreams() {
        let streams = self.streams.values.sorted { $0.id < $1.id }
        self.streams = [:]
        for stream in streams {
            let isUnsent = self.role == .client && self.session.isUnsent(stream.id)
            stream.detach()
            stream.notifyClosed(isUnsent ? .refused : .connectionLost)
        }
    }
}
