import HTTP2Transport
import HTTPTypes
import HoldfastClient
import NIOCore
import ReplicaCore
import Replicator

/// One request of the client listener, from its head to the end of its answer.
///
///     head --> (body ...) --> end --> asked the log --> answered
///        \------- refused ------------------------------/
///
/// Event loop only. An append stays in callbacks all the way; what waits (reads, forwarding) is a task
/// that ends when the stream closes.
final class ClientRequestHandler: HTTP2ServerHandler {
    let api: ClientAPI
    private let unfinished: UnfinishedBodies
    private(set) var head: HTTPRequest?
    private(set) var label = RequestLabel()
    private(set) var route: Route?
    private var parameters = QueryParameters()
    private(set) var forwarding = Forwarding.auto
    private(set) var append: AppendRequest?
    /// Until the body is whole.
    private var coming = BodyPieces()
    private var place: UnfinishedBodies.Place?
    private(set) var body = ByteBuffer()
    /// For a body that is whole, until the answer.
    private var room: PlaceCount.Place?
    private(set) var isAnswered = false
    var span: AppendSpan?
    /// Until when a leader that is not reached is looked for again.
    var forwardDeadline: NIODeadline?
    /// Said once the request has ended: not every client hears an answer while it is still sending.
    private var refusal: Problem?
    private var drainedByteCount = 0
    var task: Task<Void, Never>?
    var follower: RecordFollower?
    private var session: AppendSessionHandler?
    /// Held until the stream has closed: an answer that nobody takes is in memory as long.
    var segmentRead: PlaceCount.Place?

    init(api: ClientAPI) {
        self.api = api
        self.unfinished = api.unfinishedBodies.value
    }

    // MARK: What arrives

    func received(head: HTTPRequest, on stream: HTTP2Stream) {
        var head = head
        self.label = RequestLabel(head.headerFields)
        // So that the leader, if it is asked, tells of it under the same id.
        head.headerFields[.xRequestID] = self.label.id
        self.head = head
        let (path, query) = QueryParameters.split(head.path ?? "/")
        do throws(Problem) {
            guard path.utf8.count + query.utf8.count <= NodeLimits.targetByteCountMax else { throw .targetTooLong }
            let route = try Route.decide(method: head.method, path: path)
            self.route = route
            try self.api.authorize(head, for: route)
            self.parameters = try QueryParameters(query)
            try self.parameters.check(only: route.parameterNames)
            self.forwarding = try self.parameters.forwarding()
            guard let byteCountMax = route.bodyByteCountMax else { return }
            let length = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
            guard length <= byteCountMax else { throw .bodyTooLarge(byteCountMax) }
            guard route == .append else { return }
            let append = try AppendRequest(head: head, self.parameters)
            self.append = append
            if let producer = append.producer {
                self.session = AppendSessionHandler(
                    api: self.api, producer: producer, conditions: append.conditions, stream: stream,
                    label: self.label, caller: self.caller(of: head))
            }
        } catch {
            // A session's client ends its request only once it was let in.
            if head.headerFields[.contentType] == SessionBatch.contentType { return self.answer(error, on: stream) }
            self.refusal = error
        }
    }

    func received(refusal: TLSRefusal, on stream: HTTP2Stream) {
        self.answer(refusal == .plainText ? .tlsRequired : .refused(refusal), on: stream)
    }

    func receivedTooLargeHead(on stream: HTTP2Stream) { self.answer(Problem.headTooLarge, on: stream) }

    func received(body: ByteBuffer, on stream: HTTP2Stream) {
        if let session { return session.received(body) }
        guard !self.isAnswered else { return }
        guard self.refusal == nil, let byteCountMax = self.route?.bodyByteCountMax else {
            self.drainedByteCount += body.readableBytes
            guard self.drainedByteCount > NodeLimits.drainByteCountMax else { return }
            return self.answer(self.refusal ?? .bodyTooLarge(NodeLimits.drainByteCountMax), on: stream)
        }
        guard self.coming.byteCount + body.readableBytes <= byteCountMax else {
            return self.refuse(.bodyTooLarge(byteCountMax))
        }
        self.coming.add(body)
        let place = self.place ?? self.unfinished.begin(self, on: stream)
        self.place = place
        self.unfinished.hold(self.coming.byteCount, at: place)
    }

    /// Once its request has ended; what came of its body is dropped.
    private func refuse(_ problem: Problem) {
        self.leave()
        self.refusal = problem
    }

    private func leave() {
        if let place = self.place.take() { self.unfinished.leave(place) }
        self.coming = BodyPieces()
    }

    /// The body is whole, and is kept until the answer, since it may have to be sent to another leader.
    ///
    /// - Returns: Its room, to be held by whoever may keep the body for longer.
    /// - Throws: 429 when so many wait for their answers that there is none; nothing was applied.
    func keepBody() throws(Problem) -> PlaceCount.Place {
        guard let room = self.room ?? self.api.waitingBytes.take(self.body.readableBytes) else {
            throw Problem(AppendFailure.busy)
        }
        self.room = room
        return room
    }

    func receivedEnd(on stream: HTTP2Stream) {
        if let session { return session.receivedEnd() }
        // It comes here again when another leader is looked for.
        if self.coming.byteCount > 0 { self.body = self.coming.takeWhole() }
        self.leave()
        if let refusal = self.refusal, !self.isAnswered { return self.answer(refusal, on: stream) }
        guard !self.isAnswered, let route, let head else { return }
        do throws(Problem) {
            switch route {
            case .append: try self.startAppend(on: stream)
            case .read:
                let query = try RecordsQuery(
                    self.parameters, accept: head.headerFields[.accept],
                    lastEventID: head.headerFields[.lastEventID])
                if query.isFollowing {
                    self.startFollowing(query, on: stream)
                } else {
                    self.startRead(query, on: stream)
                }
            case .record(let index): self.startRecord(index, on: stream)
            case .tail: self.answerTail(on: stream)
            case .cluster: self.answerCluster(on: stream)
            case .describe: self.answer(self.api.head(.ok), ByteBuffer(bytes: OpenAPIDocument.bytes), on: stream)
            case .nodeStatus: try self.startNodeStatus(self.parameters, on: stream)
            case .trim:
                self.startTrim(try TrimRequest(self.parameters, body: self.body), on: stream)
            case .segments: self.answerSegments(on: stream)
            case .frames(let segment): try self.startFrames(of: segment, self.parameters, on: stream)
            case .transfer: try self.startTransfer(self.parameters, on: stream)
            case .addMember: try self.startAddingMember(self.parameters, on: stream)
            case .promoteMember(let node): self.change(.promote(node), on: stream)
            case .removeMember(let node): self.change(.remove(node), on: stream)
            case .cursors: self.startCursors(nil, on: stream)
            case .cursor(let name): self.startCursors(name, on: stream)
            case .setCursor, .deleteCursor, .raiseFence:
                if let request = try StateRequest(route, body: self.body) { self.startChange(request, on: stream) }
            }
        } catch {
            self.answer(error, on: stream)
        }
    }

    func becameWritable(on stream: HTTP2Stream) {
        self.follower?.becameWritable()
        self.session?.becameWritable()
    }

    func closed(_ reason: HTTP2CloseReason, on stream: HTTP2Stream) {
        self.isAnswered = true
        self.span?.abandoned()
        self.span = nil
        self.task?.cancel()
        self.task = nil
        self.follower?.closed()
        self.follower = nil
        self.session?.closed()
        self.session = nil
        self.segmentRead = nil
        self.release()
    }

    // MARK: Answering

    func answer(_ problem: Problem, on stream: HTTP2Stream) {
        let kind: RequestKind = self.route == .append ? .append : .other
        let (head, body) = self.api.answer(to: problem, as: self.label, of: kind)
        self.answer(head, self.head?.method == .head ? nil : body, on: stream)
    }

    /// The one place where an answer leaves: a second one is dropped.
    func answer(_ head: HTTPResponse, _ body: ByteBuffer?, on stream: HTTP2Stream) {
        guard !self.isAnswered else { return }
        self.isAnswered = true
        self.span?.ended(with: head.status)
        self.span = nil
        self.release()
        var head = head
        head.headerFields[.xRequestID] = self.label.id
        guard let body else { return stream.send(head: head, endStream: true) }
        head.headerFields[.contentLength] = "\(body.readableBytes)"
        stream.send(head: head, endStream: false)
        stream.send(body, endStream: true)
    }

    private func release() {
        self.leave()
        self.body = ByteBuffer()
        self.room = nil
    }

    /// Does `work` in a task that ends with the stream, then goes on here, on the event loop.
    func run<Value: Sendable>(
        on stream: HTTP2Stream, _ work: @escaping @Sendable () async -> Value,
        then body: @escaping @Sendable (ClientRequestHandler, HTTP2Stream, Value) -> Void
    ) {
        let eventLoop = stream.eventLoop
        let bound = NIOLoopBound((self, stream), eventLoop: eventLoop)
        self.task = Task {
            let value = await work()
            eventLoop.execute {
                let (handler, stream) = bound.value
                guard !handler.isAnswered else { return }
                body(handler, stream, value)
            }
        }
    }
}

extension ClientRequestHandler: UnfinishedBody {
    func giveWay() {
        self.place = nil
        self.refuse(.gaveWay)
    }
}
