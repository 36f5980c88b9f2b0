import HTTP2Session
import HTTPTypes
import LogModel
import NIOCore

/// From the socket to the streams' handlers.
extension ConnectionHandler {
    /// Of a request that is refused, read and thrown away.
    private static let refusedByteCountMax = 8 << 20

    func receive(_ buffer: ByteBuffer) {
        var failure: HTTP2SessionError?
        let now = MonotonicTime(nanoseconds: self.now)
        buffer.withUnsafeReadableBytes { bytes in
            do throws(HTTP2SessionError) { try self.session.receive(bytes, now: now) } catch { failure = error }
        }
        self.dispatch(buffer)
        if let failure, self.phase == .open { self.fail(failure) }
    }

    /// Hands the session's events to the streams. `buffer` holds the body bytes they point at.
    func dispatch(_ buffer: ByteBuffer?) {
        guard self.session.hasEvents else { return }
        var events = self.spareEvents
        self.spareEvents = []
        self.session.takeEvents(into: &events)
        for event in events where self.phase == .open { self.dispatch(event, buffer) }
        self.spareEvents = events
    }

    private func dispatch(_ event: HTTP2Event, _ buffer: ByteBuffer?) {
        switch event {
        case .head(let id, let fields): self.receivedHead(id, fields)
        case .headTooLarge(let id): self.receivedTooLargeHead(id)
        case .body(let id, let range): self.receivedBody(id, range, buffer)
        case .end(let id, let trailers):
            guard let stream = self.streams[id] else { return }
            stream.isEndReceived = true
            if let refusal = stream.heldRefusal.take() {
                stream.serverHandler?.received(refusal: refusal, on: stream)
                return
            }
            stream.serverHandler?.receivedEnd(on: stream)
            stream.clientHandler?.receivedEnd(trailers: HTTPConversion.headers(trailers), on: stream)
        case .closed(let id, let code, let isUnprocessed):
            guard let stream = self.streams[id] else { return }
            let isDone = self.role == .client ? stream.isEndReceived : stream.isEndSent
            self.close(stream, isUnprocessed ? .refused : code == .noError && isDone ? .finished : .reset(code))
        case .goAway(_, let code, _):
            self.isGoingAway = true
            if code == .http11Required { self.isPeerHTTP11 = true }
            self.logger.debug("peer is going away", metadata: ["code": "\(code)"])
        case .pong(Self.shutdownPing):
            self.session.refuseNewStreams(.noError)
            self.setNeedsPump()
        case .pong, .settings: break
        }
    }

    private func receivedHead(_ id: HTTP2StreamID, _ fields: [HTTP2Field]) {
        switch self.role {
        case .client:
            guard let stream = self.streams[id] else { return }
            guard let head = HTTPConversion.response(fields) else {
                return self.reset(stream, .protocolError, reason: .reset(.protocolError))
            }
            stream.clientHandler?.received(head: head, on: stream)
        case .server:
            guard let makeHandler else { return }
            let stream = self.accept(id)
            guard let head = HTTPConversion.request(fields) else {
                return stream.respond(HTTPResponse(status: .badRequest))
            }
            let handler = makeHandler(self.eventLoop)
            stream.serverHandler = handler
            guard let refusal else { return handler.received(head: head, on: stream) }
            // Not every client hears an answer while it is still sending: a body of which an end is in sight is waited for.
            let length = head.headerFields[.contentLength].flatMap { Int($0) }
            if let length, (1...Self.refusedByteCountMax).contains(length) {
                stream.heldRefusal = refusal
            } else {
                handler.received(refusal: refusal, on: stream)
            }
        }
    }

    private func receivedTooLargeHead(_ id: HTTP2StreamID) {
        switch self.role {
        case .client:
            guard let stream = self.streams[id] else { return }
            self.reset(stream, .cancel, reason: .reset(.enhanceYourCalm))
        case .server:
            guard let makeHandler else { return }
            let stream = self.accept(id)
            let handler = makeHandler(self.eventLoop)
            stream.serverHandler = handler
            handler.receivedTooLargeHead(on: stream)
        }
    }

    private func accept(_ id: HTTP2StreamID) -> HTTP2Stream {
        let stream = HTTP2Stream(id: id, eventLoop: self.eventLoop, connection: self, now: self.now, isHeadSent: false)
        self.streams[id] = stream
        return stream
    }

    private func receivedBody(_ id: HTTP2StreamID, _ range: Range<Int>, _ buffer: ByteBuffer?) {
        guard
            let stream = self.streams[id], stream.serverHandler != nil || stream.clientHandler != nil,
            let buffer, let body = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count)
        else {
            // Nobody reads it, but the connection's window must not leak.
            return self.session.consume(id, byteCount: range.count)
        }
        stream.unconsumedByteCount += range.count
        if stream.heldRefusal == nil { stream.serverHandler?.received(body: body, on: stream) }
        stream.clientHandler?.received(body: body, on: stream)
        stream.noteReceived(range.count, now: self.now)
        if !stream.isManualCredit { stream.credit(range.count) }
    }
}
