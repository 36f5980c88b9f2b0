import HTTP2Session
import HTTPTypes
import NIOCore

/// Opening streams.
extension ConnectionHandler {
    /// Opens a stream; when that is impossible the handler hears `closed(.refused)` in a later turn.
    func open(_ request: HTTPRequest, handler: any HTTP2ClientHandler, endStream: Bool) -> HTTP2Stream {
        self.now = NIODeadline.now().uptimeNanoseconds
        if self.phase == .open, !self.isGoingAway, self.streams.count < self.limits.pendingRequestsMax,
            let id = try? self.session.request(
                HTTPConversion.fields(
                    request, defaultScheme: self.scheme, defaultAuthority: self.authority), endStream: endStream)
        {
            let stream = HTTP2Stream(
                id: id, eventLoop: self.eventLoop, connection: self, now: self.now, isHeadSent: true)
            if endStream { stream.finish() }
            stream.clientHandler = handler
            self.streams[id] = stream
            self.setNeedsPump()
            return stream
        }
        let stream = HTTP2Stream(id: 0, eventLoop: self.eventLoop, connection: nil, now: self.now, isHeadSent: true)
        stream.clientHandler = handler
        stream.detach()
        self.eventLoop.assumeIsolated().execute { stream.notifyClosed(.refused) }
        return stream
    }

    /// Whether a request would be sent.
    var isUsable: Bool {
        self.phase == .open && !self.isGoingAway && self.streams.count < self.limits.pendingRequestsMax
    }
}
