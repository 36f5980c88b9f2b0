import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix

/// One answer to `follow=true`: keeps whole frames until they are asked for.
///
///     opening --head--> streaming --> ended
///        \---- an answer of another kind, or none in time ----^
///
/// Rule: the server gets credit for what was taken, and for the beginning of a frame that is not whole. Why: a slow reader
/// then holds the server back at one window, and a frame that is longer than a window still arrives.
///
/// Event loop only.
final class TailStream: HTTP2ClientHandler {
    enum Part: Sendable {
        /// At least one, each of them whole.
        case frames(ByteBuffer)
        /// None came in time, or the wait was interrupted; but perhaps more of one that is not whole yet.
        case silence(isReceiving: Bool)
        case ended(ClientError)
    }

    private let opened: EventLoopPromise<Void>
    private var stream: HTTP2Stream?
    private var connection: HTTP2Connection?
    private var input = ByteBuffer()
    /// Of ``input``, through its last whole frame.
    private var wholeByteCount = 0
    private var uncreditedByteCount = 0
    /// An answer of another kind: nothing is followed.
    private var refusedHead: HTTPResponse?
    private var failure: ClientError?
    private var waiting: ((Part) -> Void)?
    private var waitingUntil: Scheduled<Void>?
    private var openingUntil: Scheduled<Void>?
    private var isInterrupted = false
    /// The beginning of a line came since the reader was last told of something.
    private var isReceiving = false

    init(opened: EventLoopPromise<Void>) { self.opened = opened }

    func open(
        on connection: HTTP2Connection, at server: ServerAddress, access: ClientAccess, from index: LogIndex
    ) {
        self.connection = connection
        let request = HTTPRequest(
            method: .get, scheme: nil, authority: server.description,
            path: "/v1/records?from=\(index)&follow=true",
            headerFields: access.signed([.accept: RecordFrame.contentType]))
        let stream = connection.open(request, handler: self, endStream: true)
        stream.isManualCredit = true
        stream.isLongLived = true
        self.stream = stream
        let bound = NIOLoopBound(self, eventLoop: stream.eventLoop)
        let timeout = TimeAmount.milliseconds(Int64(ClientLimits.attemptTimeoutMilliseconds))
        self.openingUntil = stream.eventLoop.scheduleTask(in: timeout) {
            bound.value.end(.unreachable("no answer in time"))
        }
    }

    // MARK: What the reader does

    /// Hands over what has arrived, or the next that does; one at a time.
    func take(within timeout: TimeAmount, on eventLoop: any EventLoop, _ told: @escaping (Part) -> Void) {
        precondition(self.waiting == nil, "two readers of one stream")
        self.waiting = told
        self.hand()
        guard self.waiting != nil else { return }
        // Once: another task may go on with this stream.
        if self.isInterrupted { return self.silent() }
        self.credit()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        self.waitingUntil = eventLoop.scheduleTask(in: timeout) { bound.value.silent() }
    }

    /// Whoever waits, or waits next, stops.
    func interrupt() {
        if self.waiting == nil { self.isInterrupted = true } else { self.silent() }
    }

    func close() { self.connection?.close() }

    private func hand() {
        guard self.waiting != nil else { return }
        if self.wholeByteCount > 0, let frames = self.input.readSlice(length: self.wholeByteCount) {
            self.wholeByteCount = 0
            self.isReceiving = false
            self.credit()
            self.tell(.frames(frames))
        } else if let failure {
            self.tell(.ended(failure))
        }
    }

    private func silent() {
        self.isInterrupted = false
        self.tell(.silence(isReceiving: self.isReceiving))
        self.isReceiving = false
    }

    private func tell(_ part: Part) {
        let told = self.waiting
        self.waiting = nil
        self.waitingUntil?.cancel()
        self.waitingUntil = nil
        told?(part)
    }

    private func credit() {
        self.stream?.consumed(self.uncreditedByteCount)
        self.uncreditedByteCount = 0
    }

    // MARK: What the server answers

    func received(head: HTTPResponse, on stream: HTTP2Stream) {
        guard head.status == .ok else {
            self.refusedHead = head
            return
        }
        self.openingUntil?.cancel()
        self.opened.succeed()
    }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        guard self.failure == nil else { return }
        self.uncreditedByteCount += body.readableBytes
        self.input.add(body)
        guard self.refusedHead == nil else { return self.credit() }
        do throws(FrameError) {
            self.wholeByteCount = try TailFrames.wholeByteCount(of: self.input, known: self.wholeByteCount)
        } catch {
            return self.end(.badAnswer("a frame of a record: \(error)"))
        }
        self.hand()
        guard self.wholeByteCount == 0 else { return }
        self.isReceiving = self.input.readableBytes > 0
        self.credit()
    }

    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {
        self.end(self.refusedHead.map { .answered($0, self.input) } ?? .unreachable("the server ended the stream"))
    }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        self.stream = nil
        self.end(.unreachable("the stream was closed: \(reason)"))
    }

    private func end(_ failure: ClientError) {
        guard self.failure == nil else { return }
        self.failure = failure
        self.openingUntil?.cancel()
        self.opened.fail(failure)
        self.hand()
        self.connection?.close()
    }
}

extension TailStream {
    /// Opens one over a connection of its own.
    static func open(
        at server: ServerAddress, access: ClientAccess, from index: LogIndex, logger: Logger
    ) async throws(ClientError) -> NIOLoopBound<TailStream> {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        var limits = HTTP2Limits()
        limits.session.streamWindowByteCount = ClientLimits.tailWindowByteCount
        limits.connectMilliseconds = ClientLimits.attemptTimeoutMilliseconds
        let opened = eventLoop.makePromise(of: Void.self)
        let connected = HTTP2Connection.connect(
            host: server.host, port: server.port, on: eventLoop, limits: limits, tls: access.tls, logger: logger
        ).flatMapErrorThrowing { error in
            opened.fail(error)
            throw error
        }.flatMap { connection in
            let stream = TailStream(opened: opened)
            stream.open(on: connection, at: server, access: access, from: index)
            let bound = NIOLoopBound(stream, eventLoop: eventLoop)
            return opened.futureResult.map { bound }
        }
        do { return try await connected.get() } catch {
            // Whoever tails names the server itself.
            if case .network(let reason) = HTTP2ConnectFailure(error) {
                throw error as? ClientError ?? .unreachable("no connection: \(reason)")
            }
            throw ClientError(connecting: error, to: server)
        }
    }
}

extension NIOLoopBound<TailStream> {
    /// What comes next, within a time; a cancelled task waits no longer.
    func take(within timeout: Duration) async -> TailStream.Part {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.eventLoop.execute {
                    self.value.take(within: TimeAmount(timeout), on: self.eventLoop) {
                        continuation.resume(returning: $0)
                    }
                }
            }
        } onCancel: {
            self.eventLoop.execute { self.value.interrupt() }
        }
    }

    func close() { self.eventLoop.execute { self.value.close() } }
}
