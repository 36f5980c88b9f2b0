import HTTP2Session
import HTTPTypes
import NIOCore

/// What streams ask of their connection: each only tells the session of it, and the pump sends it.
extension ConnectionHandler {
    func respond(_ stream: HTTP2Stream, _ head: HTTPResponse, endStream: Bool) {
        self.session.respond(to: stream.id, HTTPConversion.fields(head), endStream: endStream)
        self.setNeedsPump()
    }

    func announce(_ stream: HTTP2Stream, byteCount: Int) {
        self.session.send(bodyOf: stream.id, byteCount: byteCount)
        self.setNeedsPump()
    }

    func end(_ stream: HTTP2Stream, trailers: HTTPFields) {
        self.session.end(stream.id, trailers: HTTPConversion.fields(trailers))
        self.setNeedsPump()
    }

    func consume(_ id: HTTP2StreamID, byteCount: Int) {
        self.session.consume(id, byteCount: byteCount)
        self.setNeedsPump()
    }

    /// Resets a stream from this side; its handler is told in a later turn.
    func reset(_ stream: HTTP2Stream, _ code: HTTP2FailureCode, reason: HTTP2CloseReason) {
        guard stream.isOpen else { return }
        self.session.reset(stream.id, code)
        self.remove(stream)
        self.setNeedsPump()
        self.eventLoop.assumeIsolated().execute { stream.notifyClosed(reason) }
    }

    func close(_ stream: HTTP2Stream, _ reason: HTTP2CloseReason) {
        self.remove(stream)
        stream.notifyClosed(reason)
    }

    /// Whether a stream may hold `byteCount` unsent bytes, of which `more` are new.
    func mayHold(_ byteCount: Int, more: Int) -> Bool {
        // A server's few words; how many streams may have them is bounded.
        guard let listener, byteCount > self.limits.smallBodyByteCount else { return true }
        guard self.unsent.byteCount < self.limits.unsentByteCountMax else { return false }
        return listener.unsentByteCount < self.limits.listenerUnsentByteCountMax
            || self.unsent.byteCount + more <= self.limits.unsentByteCountShare
    }

    private func remove(_ stream: HTTP2Stream) {
        self.streams[stream.id] = nil
        if self.streams.isEmpty { self.idleSince = self.now }
        if stream.unconsumedByteCount > 0 {
            self.session.consume(stream.id, byteCount: stream.unconsumedByteCount)
            stream.unconsumedByteCount = 0
            self.needsPump = true
        }
        stream.detach()
    }
}
