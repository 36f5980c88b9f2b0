import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import Replicator

/// Streams records to one reader, from where it asked, through the live tail, until it leaves.
///
/// The task reads and waits; everything about the stream is done on its event loop. A slow reader holds
/// at most a page more than the stream's buffer here: the task goes on when that has left.
final class RecordFollower {
    private let api: ClientAPI
    private let query: RecordsQuery
    private let stream: HTTP2Stream
    private let label: RequestLabel
    private var isHeadSent = false
    private var isClosed = false
    private var drained: EventLoopPromise<Bool>?

    init(api: ClientAPI, query: RecordsQuery, stream: HTTP2Stream, label: RequestLabel) {
        self.api = api
        self.query = query
        self.stream = stream
        self.label = label
        stream.isLongLived = true
    }

    /// - Parameter refused: Called on the event loop when the first read fails: nothing was sent then.
    func start(refused: @escaping @Sendable (ReadFailure) -> Void) -> Task<Void, Never> {
        let bound = NIOLoopBound(self, eventLoop: self.stream.eventLoop)
        let service = self.api.service
        let query = self.query
        return Task { @Sendable in
            await Self.run(bound, service: service, query: query, refused: refused)
        }
    }

    private static func run(
        _ bound: NIOLoopBound<RecordFollower>, service: any LogService, query: RecordsQuery,
        refused: @escaping @Sendable (ReadFailure) -> Void
    ) async {
        guard let failure = await self.pump(service: service, query: query, send: self.sender(bound, query.form)) else {
            return
        }
        bound.eventLoop.execute { bound.value.failed(failure, refused: refused) }
    }

    private static func sender(_ bound: NIOLoopBound<RecordFollower>, _ form: RecordsQuery.Form) -> Send {
        { records, end in
            let pieces = PageAnswer.stream(records, end: end, as: form)
            let accepted = bound.eventLoop.flatSubmit { bound.value.send(pieces, isLast: end != nil) }
            return (try? await accepted.get()) ?? false
        }
    }

    /// Hands records to the reader, with the end behind the last ones; returns whether it wants more.
    typealias Send = @Sendable (_ records: ArraySlice<IndexedRecord>, _ end: PageEnd?) async -> Bool

    /// - Returns: Why reading ended before the reader had what it asked for.
    static func pump(
        service: any LogService, query: RecordsQuery, send: Send
    ) async -> ReadFailure? {
        var start = query.start
        var remaining = query.limit
        var isFirst = true
        var isSilent = false
        do throws(ReadFailure) {
            try await PageReader(service: service, query: query).waitForMinIndex()
        } catch {
            return error
        }
        while !Task.isCancelled {
            let reader = PageReader(service: service, query: query.following(from: start, limit: remaining))
            var page: LogPage
            switch await reader.page(byteCountMax: NodeLimits.streamedPageByteCountMax) {
            case .success(let found): page = found
            case .failure(let failure): return failure
            }
            // A slow reader would keep it from others; its own pages are small.
            page.seat = nil
            let (records, end) = reader.query.cut(page)
            remaining -= records.count
            let isLast =
                remaining == 0 || records.count < page.records.count || query.end.map { end.next >= $0 } ?? false
            if !records.isEmpty || isLast || isFirst || (isSilent && query.form == .events) {
                guard await send(records, isLast ? end : nil), !isLast else { return nil }
            }
            isFirst = false
            start = .index(end.next)
            if page.records.isEmpty {
                isSilent = await !service.waitForCommit(
                    of: end.next, timeoutMilliseconds: NodeLimits.followWaitMilliseconds)
            }
        }
        return nil
    }

    func becameWritable() {
        guard let drained else { return }
        self.drained = nil
        drained.succeed(true)
    }

    func closed() {
        self.isClosed = true
        self.drained?.succeed(false)
        self.drained = nil
    }

    private func send(_ pieces: ByteBuffer, isLast: Bool) -> EventLoopFuture<Bool> {
        guard !self.isClosed else { return self.stream.eventLoop.makeSucceededFuture(false) }
        if !self.isHeadSent {
            self.isHeadSent = true
            let head = self.api.head(
                .ok, contentType: self.query.form.contentType, fields: [.cacheControl: "no-store"],
                as: self.label)
            self.stream.send(head: head, endStream: false)
        }
        if pieces.readableBytes > 0 || isLast { self.stream.send(pieces, endStream: isLast) }
        guard !isLast, !self.stream.isWritable else {
            return self.stream.eventLoop.makeSucceededFuture(!isLast)
        }
        let promise = self.stream.eventLoop.makePromise(of: Bool.self)
        self.drained = promise
        return promise.futureResult
    }

    /// After the head has left, a failure can only be told as a last line, `{"error":{...}}`, as an event, `error`, or as
    /// a frame.
    private func failed(_ failure: ReadFailure, refused: (ReadFailure) -> Void) {
        guard !self.isClosed else { return }
        guard self.isHeadSent else { return refused(failure) }
        let words = PageAnswer.lastWords(
            self.api.told(Problem(failure), as: self.label, of: .other), as: self.query.form)
        self.stream.send(words, endStream: true)
    }
}

extension RecordsQuery {
    fileprivate func following(from start: ReadStart, limit: Int) -> RecordsQuery {
        var query = self
        query.start = start
        query.limit = min(limit, NodeLimits.pageRecordCount * 10)
        query.minIndex = nil
        query.wait = nil
        return query
    }
}
