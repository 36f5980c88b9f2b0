import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import ReplicaCore
import Replicator
import SegmentFormat

/// One request of the client listener, from its head to the end of its answer.
///
///     head --> (body ...) --> end --> asked the log --> answered
///        \------- refused ------------------------------/
///
/// Event loop only. An append stays in callbacks all the way; what waits (reads, forwarding) is a task
/// that ends when the stream closes.
final class ClientRequestHandler: HTTP2ServerHandler {
    let api: ClientAPI
    private var head: HTTPRequest?
    private var label = RequestLabel()
    private var route: Route?
    private var parameters = QueryParameters()
    private var forwarding = Forwarding.auto
    private var append: AppendRequest?
    private var body = ByteBuffer()
    private var isAnswered = false
    private var span: AppendSpan?
    /// Until when a leader that is not reached is looked for again.
    private var forwardDeadline: NIODeadline?
    /// Said once the request has ended: not every client hears an answer while it is still sending.
    private var refusal: Problem?
    private var drainedByteCount = 0
    private var task: Task<Void, Never>?
    private var follower: RecordFollower?
    private var session: AppendSessionHandler?
    /// Held until the stream has closed: an answer that nobody takes is in memory as long.
    var segmentRead: PlaceCount.Place?

    init(api: ClientAPI) {
        self.api = api
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
        guard self.body.readableBytes + body.readableBytes <= byteCountMax else {
            self.body = ByteBuffer()
            return self.refusal = .bodyTooLarge(byteCountMax)
        }
        self.body.collect(body)
    }

    func receivedEnd(on stream: HTTP2Stream) {
        if let session { return session.receivedEnd() }
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
    }

    // MARK: Appending

    private func startAppend(on stream: HTTP2Stream) throws(Problem) {
        guard let append, let head else { return }
        // A request that looks for another leader comes here again.
        self.span = self.span ?? self.caller(of: head)?.begin()
        // Of appends with sequences, which are taken in order only, a large one should not be overtaken.
        let byteCountMax =
            append.isSequenced ? NodeLimits.sequencedByteCountOnLoopMax : NodeLimits.bodyByteCountOnLoopMax
        guard self.body.readableBytes > byteCountMax else {
            return self.submit(try append.draft(body: self.body), of: append, on: stream)
        }
        self.run(on: stream) { [body] in
            Result { () throws(Problem) in try append.draft(body: body) }
        } then: { handler, stream, result in
            switch result {
            case .success(let draft): handler.submit(draft, of: append, on: stream)
            case .failure(let problem): handler.answer(problem, on: stream)
            }
        }
    }

    private func caller(of head: HTTPRequest) -> TracedCaller? {
        TracedCaller(self.api.tracer, self.label, head.headerFields, on: self.api.node)
    }

    private func submit(_ draft: FrameDraft, of append: AppendRequest, on stream: HTTP2Stream) {
        let eventLoop = stream.eventLoop
        let bound = NIOLoopBound((self, stream), eventLoop: eventLoop)
        let submission = Submission(
            draft, conditions: append.conditions, acknowledgedBy: append.acknowledgedBy)
        self.api.service.append(submission, in: self.span?.context) { result in
            eventLoop.execute {
                let (handler, stream) = bound.value
                handler.appended(result, on: stream)
            }
        }
    }

    private func appended(_ result: Result<AppendOutcome, AppendFailure>, on stream: HTTP2Stream) {
        switch result {
        case .success(let outcome):
            var head = self.api.head(outcome.isDuplicate ? .ok : .created)
            if outcome.isDuplicate { head.headerFields[.holdfastDuplicate] = "true" }
            self.answer(head, ByteBuffer(bytes: outcome.receipt.json), on: stream)
        case .failure(.notLeader(let leader)):
            self.passToLeader(leader, on: stream)
        case .failure(let failure):
            self.answer(Problem(failure), on: stream)
        }
    }

    // MARK: Asking the leader instead

    func passToLeader(_ leader: NodeID?, waiting waitMilliseconds: UInt64 = 0, on stream: HTTP2Stream) {
        guard !self.isAnswered, let head else { return }
        switch self.api.leaderDecision(leader, head: head, forwarding: self.forwarding) {
        case .refuse(let problem): self.answer(problem, on: stream)
        case .forward(let address):
            let body = self.route?.bodyByteCountMax == nil ? nil : self.body
            let timeout = NodeLimits.forwardTimeoutMilliseconds + waitMilliseconds
            let eventLoop = stream.eventLoop
            let bound = NIOLoopBound((self, stream), eventLoop: eventLoop)
            let request = self.span?.carried(by: head) ?? head
            self.api.forwarder.forward(request, body: body, to: address, timeoutMilliseconds: timeout) { result in
                eventLoop.execute {
                    let (handler, stream) = bound.value
                    switch result {
                    case .success(let answer): handler.answer(answer.head, answer.body, on: stream)
                    case .failure(let problem): handler.forwardingFailed(problem, on: stream)
                    }
                }
            }
        }
    }

    /// A leader that was not reached has just gone, most of the time: the next one is asked, once it is known. Nothing was
    /// sent, so nothing is done twice.
    private func forwardingFailed(_ problem: Problem, on stream: HTTP2Stream) {
        let now = NIODeadline.now()
        let deadline = self.forwardDeadline ?? now + .milliseconds(NodeLimits.leaderWaitMilliseconds)
        self.forwardDeadline = deadline
        guard problem.isUnsent, now < deadline, !self.isAnswered else {
            var problem = problem
            if self.append == nil, problem.document.applied == .unknown {
                problem.document.hint = self.route == .trim ? Problem.trimAgain : Problem.changeAgain
            }
            return self.answer(problem, on: stream)
        }
        let bound = NIOLoopBound((self, stream), eventLoop: stream.eventLoop)
        stream.eventLoop.scheduleTask(in: .milliseconds(NodeLimits.leaderRetryMilliseconds)) {
            let (handler, stream) = bound.value
            // From the beginning: another node may lead by now, or this one.
            if !handler.isAnswered { handler.receivedEnd(on: stream) }
        }
    }

    // MARK: Reading

    private func startRead(_ query: RecordsQuery, on stream: HTTP2Stream) {
        self.run(on: stream) { [api] in
            await PageReader(service: api.service, query: query).page().map { PageAnswer($0, query: query) }
        } then: { handler, stream, result in
            switch result {
            case .success(let page): handler.answer(page, on: stream)
            case .failure(let failure): handler.readFailed(failure, waiting: query.answerMilliseconds, on: stream)
            }
        }
    }

    private func startRecord(_ index: LogIndex, on stream: HTTP2Stream) {
        self.run(on: stream) { [api] in
            await PageReader.record(index, of: api.service)
        } then: { handler, stream, result in
            switch result {
            case .success(let page) where page.records.first?.index == index:
                handler.answer(record: page.records[0], on: stream)
            case .success(let page): handler.answer(Problem.noSuchRecord(index, next: page.next), on: stream)
            case .failure(let failure): handler.readFailed(failure, waiting: 0, on: stream)
            }
        }
    }

    func readFailed(_ failure: ReadFailure, waiting waitMilliseconds: UInt64, on stream: HTTP2Stream) {
        guard failure == .notLeader else { return self.answer(Problem(failure), on: stream) }
        self.run(on: stream) { [api] in
            await api.service.picture().leader
        } then: { handler, stream, leader in
            handler.passToLeader(leader, waiting: waitMilliseconds, on: stream)
        }
    }

    private func startFollowing(_ query: RecordsQuery, on stream: HTTP2Stream) {
        let follower = RecordFollower(api: self.api, query: query, stream: stream, label: self.label)
        self.follower = follower
        let bound = NIOLoopBound((self, stream), eventLoop: stream.eventLoop)
        self.task = follower.start { failure in
            let (handler, stream) = bound.value
            handler.readFailed(failure, waiting: 0, on: stream)
        }
    }

    private func answerTail(on stream: HTTP2Stream) {
        self.run(on: stream) { [api] in
            await api.service.picture().nextIndex
        } then: { handler, stream, next in
            let fields: HTTPFields = [
                .holdfastNextIndex: "\(next)", .eTag: PageAnswer.entityTag(of: next), .cacheControl: "no-cache",
            ]
            guard !handler.isKnown(PageAnswer.entityTag(of: next)) else {
                return handler.answer(
                    handler.api.head(.notModified, contentType: nil, fields: fields), nil, on: stream)
            }
            handler.answer(handler.api.head(.ok, fields: fields), nil, on: stream)
        }
    }

    private func answerCluster(on stream: HTTP2Stream) {
        self.run(on: stream) { [api] in
            await api.service.picture()
        } then: { handler, stream, picture in
            let status = ClusterStatus(picture, peers: handler.api.peers)
            let head = handler.api.head(.ok, fields: [.cacheControl: "no-store"])
            handler.answer(head, ByteBuffer(bytes: JSONDocument.encode(status)), on: stream)
        }
    }

    // MARK: Leadership

    private func startTransfer(_ query: QueryParameters, on stream: HTTP2Stream) throws(Problem) {
        let node = try query.node("to")
        if let node, self.api.address(of: node) == nil {
            throw .badRequest("node \(node) is not a node of this cluster", hint: "GET /v1/cluster names them.")
        }
        self.run(on: stream) { [api] in
            await api.service.transferLeadership(to: node)
        } then: { handler, stream, result in
            switch result {
            case .success(let leader):
                var writer = JSONWriter()
                writer.object {
                    $0.member("leader", leader.rawValue)
                    if let address = handler.api.address(of: leader) { $0.member("address", address.description) }
                }
                writer.endLine()
                handler.answer(
                    handler.api.head(.ok), ByteBuffer(bytes: writer.bytes),
                    on: stream)
            case .failure(.notLeader(let leader)): handler.passToLeader(leader, on: stream)
            case .failure(let failure): handler.answer(Problem(failure), on: stream)
            }
        }
    }

    // MARK: Answering

    private func answer(record: IndexedRecord, on stream: HTTP2Stream) {
        let answer = PageAnswer(record: record)
        guard self.isKnown(PageAnswer.entityTag(of: record.index)) else { return self.answer(answer, on: stream) }
        self.answer(self.api.head(.notModified, contentType: nil, fields: answer.fields), nil, on: stream)
    }

    /// Whether the client says that it has what carries this tag (RFC 9110 §13.1.2).
    private func isKnown(_ entityTag: String) -> Bool {
        let known = self.head?.headerFields[.ifNoneMatch] ?? ""
        return known.split(separator: ",").contains { tag in
            let tag = tag.filter { $0 != " " }
            return tag == entityTag || tag == "W/\(entityTag)" || tag == "*"
        }
    }

    private func answer(_ page: PageAnswer, on stream: HTTP2Stream) {
        guard stream.hasRoom(for: page.body.readableBytes) else {
            return self.answer(Problem.answersUnread, on: stream)
        }
        let head = self.api.head(.ok, contentType: page.contentType, fields: page.fields)
        self.answer(head, page.body, on: stream)
    }

    func answer(_ problem: Problem, on stream: HTTP2Stream) {
        let (head, body) = self.api.answer(to: problem, as: self.label)
        self.answer(head, self.head?.method == .head ? nil : body, on: stream)
    }

    /// The one place where an answer leaves: a second one is dropped.
    func answer(_ head: HTTPResponse, _ body: ByteBuffer?, on stream: HTTP2Stream) {
        guard !self.isAnswered else { return }
        self.isAnswered = true
        self.span?.ended(with: head.status)
        self.span = nil
        self.body = ByteBuffer()
        var head = head
        head.headerFields[.xRequestID] = self.label.id
        guard let body else { return stream.send(head: head, endStream: true) }
        head.headerFields[.contentLength] = "\(body.readableBytes)"
        stream.send(head: head, endStream: false)
        stream.send(body, endStream: true)
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
