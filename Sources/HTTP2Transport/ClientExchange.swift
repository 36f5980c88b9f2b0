import HTTPTypes
import NIOCore

/// One request of ``HTTP2Client`` from asking to answering. Confined to the client's event loop.
final class ClientExchange: HTTP2ClientHandler {
    typealias Reply = @Sendable (Result<HTTP2Answer, HTTP2ClientError>) -> Void

    let address: HTTP2Address
    let startedAt: NIODeadline
    private let request: HTTPRequest
    private let requestBody: ByteBuffer?
    private let bodyByteCountMax: Int
    private let probeMilliseconds: UInt64
    private var reply: Reply?
    private var timeoutTask: Scheduled<Void>?
    private var connection: HTTP2Connection?
    private var stream: HTTP2Stream?
    private var head: HTTPResponse?
    private var body = ByteBuffer()
    private var isRetried = false
    /// Sends it once more, on another connection.
    private let retry: (ClientExchange) -> Void

    init(
        _ request: HTTPRequest, body: ByteBuffer?, to address: HTTP2Address, bodyByteCountMax: Int,
        probeMilliseconds: UInt64, retry: @escaping (ClientExchange) -> Void, reply: @escaping Reply
    ) {
        self.request = request
        self.requestBody = body
        self.address = address
        self.bodyByteCountMax = bodyByteCountMax
        self.probeMilliseconds = probeMilliseconds
        self.retry = retry
        self.reply = reply
        self.startedAt = .now()
    }

    var isDone: Bool { self.reply == nil }

    func limit(to timeout: TimeAmount, on eventLoop: any EventLoop) {
        self.timeoutTask = eventLoop.assumeIsolated().scheduleTask(in: timeout) { self.timedOut() }
    }

    func start(on connection: HTTP2Connection) {
        guard !self.isDone else { return }
        self.connection = connection
        let isBodyless = (self.requestBody?.readableBytes ?? 0) == 0
        let stream = connection.open(self.request, handler: self, endStream: isBodyless)
        self.stream = stream
        if let requestBody, !isBodyless { stream.send(requestBody, endStream: true) }
    }

    func fail(_ error: HTTP2ClientError) { self.complete(.failure(error)) }

    func cancel() {
        let error: HTTP2ClientError = self.stream == nil ? .cancelledUnsent : .cancelled
        let stream = self.stream
        self.complete(.failure(error))
        stream?.reset(.cancel)
    }

    private func timedOut() {
        guard !self.isDone else { return }
        let (stream, connection) = (self.stream, self.connection)
        self.complete(.failure(stream == nil ? .timedOutUnsent : .timedOut))
        stream?.reset(.cancel)
        // A peer that has not said a thing since may be dead: then the next request needs a new connection.
        if let connection, connection.receivedAt < self.startedAt { connection.probe(within: self.probeMilliseconds) }
    }

    private func complete(_ result: Result<HTTP2Answer, HTTP2ClientError>) {
        guard let reply else { return }
        self.reply = nil
        self.timeoutTask?.cancel()
        self.timeoutTask = nil
        self.stream = nil
        self.connection = nil
        reply(result)
    }

    func received(head: HTTPResponse, on stream: HTTP2Stream) { self.head = head }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        guard !self.isDone else { return }
        guard self.body.readableBytes + body.readableBytes <= self.bodyByteCountMax else {
            self.complete(.failure(.bodyTooLarge(limit: self.bodyByteCountMax)))
            return stream.reset(.cancel)
        }
        self.body.collect(body)
    }

    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {
        guard let head else { return self.complete(.failure(.reset(.protocolError))) }
        self.complete(.success((head, self.body)))
    }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        guard !self.isDone else { return }
        switch reason {
        case .refused where self.connection?.isPeerHTTP11 == true: self.fail(.http11Only(self.address))
        case .refused where !self.isRetried:
            // The connection went away under us; nothing was processed, so a new one may have it.
            self.isRetried = true
            self.stream = nil
            self.connection = nil
            self.retry(self)
        case .refused: self.fail(.refused)
        case .reset(let code): self.fail(.reset(code))
        case .finished: self.fail(.reset(.protocolError))
        case .connectionLost: self.fail(.connectionLost)
        case .cancelled, .timedOut: self.fail(.cancelled)
        }
    }
}
