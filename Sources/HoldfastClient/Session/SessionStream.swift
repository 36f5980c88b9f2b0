import HTTP2Transport
import HTTPTypes
import LogModel
import NIOCore

/// The client's side of a session: numbers batches, keeps a bounded number of them on their way, and tells each what became
/// of it.
///
///     submitted --(queued while too many are on their way)--> sent --answer, in order--> told
///
/// Event loop only.
final class SessionStream: HTTP2ClientHandler {
    typealias Told = (Result<AppendReceipt, ClientError>) -> Void

    private struct Submission {
        var batch: ByteBuffer
        var sent: () -> Void
        var told: Told
    }

    private let producer: UInt64
    private let inFlightMax: Int
    private let silenceMax: TimeAmount
    private let opened: EventLoopPromise<Void>
    private var stream: HTTP2Stream?
    private var connection: HTTP2Connection?
    private var queue = CircularBuffer<Submission>()
    private var inFlight = CircularBuffer<(sequence: UInt64, told: Told)>()
    private var nextSequence: UInt64 = 1
    /// What is submitted meanwhile leaves together.
    private var isGathering = false
    private var input = ByteBuffer()
    /// An answer of another kind: no session was opened.
    private var refusedHead: HTTPResponse?
    private var isOpened = false
    private var isEnding = false
    private var failure: ClientError?
    private var whenDone: [(Result<Void, ClientError>) -> Void] = []
    /// When the server last said something, or was first asked for something.
    private var heardAt = NIODeadline.now()
    private var watch: RepeatedTask?

    init(
        producer: UInt64, inFlightMax: Int, opened: EventLoopPromise<Void>,
        silenceMax: TimeAmount = .milliseconds(ClientLimits.sessionSilenceMilliseconds)
    ) {
        self.producer = producer
        self.inFlightMax = inFlightMax
        self.silenceMax = silenceMax
        self.opened = opened
    }

    func open(
        on connection: HTTP2Connection, at server: ServerAddress, access: ClientAccess, fencingToken: UInt64?,
        trace: HTTPFields
    ) {
        var fields = trace
        fields[.contentType] = SessionBatch.contentType
        fields[.holdfastProducer] = "\(self.producer)"
        fields[.holdfastFencingToken] = fencingToken.map { "\($0)" }
        let request = HTTPRequest(
            method: .post, scheme: nil, authority: server.description, path: "/v1/records",
            headerFields: access.signed(fields))
        self.connection = connection
        let stream = connection.open(request, handler: self)
        stream.isLongLived = true
        self.stream = stream
        self.startWatch(stream.eventLoop)
    }

    /// A session has no time-out of its own transport: a server that says nothing to open batches is given up.
    private func startWatch(_ eventLoop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let interval = TimeAmount.nanoseconds(self.silenceMax.nanoseconds / 8)
        self.watch = eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.watched()
        }
    }

    private func watched() {
        guard !self.isOpened || !self.inFlight.isEmpty else { return self.heardAt = .now() }
        guard NIODeadline.now() - self.heardAt > self.silenceMax else { return }
        let reason = "the session has heard nothing for \(self.silenceMax.nanoseconds / 1_000_000) ms"
        self.fail(self.nextSequence == 1 ? .unreachable(reason) : .outcomeUnknown(reason))
        self.connection?.close()
    }

    // MARK: What the caller does

    /// - Parameters:
    ///   - batch: As ``SessionBatch/encode(_:)`` makes it.
    ///   - sent: Called once it is on its way: a caller that waits for it is held back by the server's pace.
    ///   - told: Called exactly once.
    func submit(_ batch: ByteBuffer, sent: @escaping () -> Void = {}, told: @escaping Told) {
        if let failure = self.failure ?? (self.isEnding ? .ended("the session was finished") : nil) {
            sent()
            return told(.failure(failure.ofUnsent))
        }
        self.queue.append(Submission(batch: batch, sent: sent, told: told))
        self.sendQueued()
    }

    /// Sends no more, and waits for what is on its way.
    func finish(_ done: @escaping (Result<Void, ClientError>) -> Void) {
        self.isEnding = true
        self.whenDone.append(done)
        self.endIfDone()
    }

    func abandon() { self.connection?.close() }

    /// Small batches as one piece: by itself each would take a place in the stream's queue, and one in the system call.
    private func sendQueued() {
        guard let stream, !self.isGathering else { return }
        self.isGathering = true
        defer { self.isGathering = false }
        var run = ByteBuffer()
        while self.inFlight.count < self.inFlightMax, stream.isWritable, var next = self.queue.popFirst() {
            SessionBatch.number(&next.batch, as: self.nextSequence)
            self.inFlight.append((self.nextSequence, next.told))
            self.nextSequence += 1
            let isAlone = run.readableBytes == 0 && self.queue.isEmpty
            if isAlone || next.batch.readableBytes > ClientLimits.sessionRunByteCountMax {
                Self.send(&run, on: stream)
                stream.send(next.batch)
            } else {
                run.writeImmutableBuffer(next.batch)
                if run.readableBytes > ClientLimits.sessionRunByteCountMax { Self.send(&run, on: stream) }
            }
            next.sent()
        }
        Self.send(&run, on: stream)
    }

    private static func send(_ run: inout ByteBuffer, on stream: HTTP2Stream) {
        guard run.readableBytes > 0 else { return }
        stream.send(run)
        run = ByteBuffer()
    }

    private func endIfDone() {
        guard self.isEnding, self.queue.isEmpty, self.inFlight.isEmpty else { return }
        if self.failure == nil { self.stream?.finish() }
        let result: Result<Void, ClientError> = self.failure.map { .failure($0) } ?? .success(())
        let waiting = self.whenDone
        self.whenDone = []
        for done in waiting { done(result) }
        if !waiting.isEmpty { self.connection?.shutDown() }
    }

    // MARK: What the server answers

    func received(head: HTTPResponse, on stream: HTTP2Stream) {
        guard head.status == .ok, head.headerFields[.contentType] == SessionBatch.contentType else {
            self.refusedHead = head
            return
        }
        self.isOpened = true
        self.heardAt = .now()
        self.opened.succeed()
    }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        guard self.failure == nil else { return }
        self.heardAt = .now()
        self.input.add(body)
        guard self.refusedHead == nil else { return }
        do throws(FrameError) { try self.takeAnswers() } catch {
            self.fail(.outcomeUnknown("an answer of the session is not understood: \(error)"))
            stream.reset()
        }
        self.sendQueued()
        self.endIfDone()
    }

    private func takeAnswers() throws(FrameError) {
        self.isGathering = true
        defer { self.isGathering = false }
        while let answer = try SessionAnswer.next(from: &self.input) { self.received(answer) }
    }

    private func received(_ answer: SessionAnswer) {
        switch answer {
        case .acknowledged(let sequence, let receipt):
            guard let front = self.inFlight.first, front.sequence == sequence else {
                return self.fail(.outcomeUnknown("an acknowledgement of batch \(sequence) comes out of turn"))
            }
            self.inFlight.removeFirst()
            front.told(.success(receipt))
        case .failed(_, let problem):
            self.fail(
                problem.applied == .no ? .refused(problem) : .outcomeUnknown("\(problem.code): \(problem.detail)"))
        }
    }

    func receivedEnd(trailers: HTTPFields, on stream: HTTP2Stream) {
        if let head = self.refusedHead { return self.fail(.answered(head, self.input)) }
        self.fail(.outcomeUnknown("the server ended the session"))
    }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        self.stream = nil
        self.watch?.cancel()
        self.watch = nil
        let isUnsent = reason == .refused || self.nextSequence == 1
        self.fail(
            isUnsent
                ? .unreachable("the session was closed: \(reason)")
                : .outcomeUnknown("the session was closed: \(reason)"))
    }

    func becameWritable(on stream: HTTP2Stream) { self.sendQueued() }

    /// Everybody learns it, oldest first; a session that has nothing on its way and was to end has ended well.
    private func fail(_ error: ClientError) {
        guard self.failure == nil, !(self.isEnding && self.queue.isEmpty && self.inFlight.isEmpty) else { return }
        self.failure = error
        self.opened.fail(error)
        while let oldest = self.inFlight.popFirst() { oldest.told(.failure(error)) }
        while let unsent = self.queue.popFirst() {
            unsent.sent()
            unsent.told(.failure(error.ofUnsent))
        }
        self.endIfDone()
        self.connection?.shutDown()
    }
}

extension ClientError {
    /// Of what was never sent.
    fileprivate var ofUnsent: ClientError {
        switch self {
        case .outcomeUnknown(let reason): .unreachable(reason)
        case .refused, .trimmed, .unreachable, .untrusted, .noClientPort, .notByAll, .ended, .badAnswer: self
        }
    }
}
