import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import Replicator

/// Records: pages of them, single ones, streams that follow, and where they end.
extension ClientRequestHandler {
    func startRead(_ query: RecordsQuery, on stream: HTTP2Stream) {
        self.run(on: stream) { [api] in
            await PageReader(service: api.service, query: query).page().map { PageAnswer($0, query: query) }
        } then: { handler, stream, result in
            switch result {
            case .success(let page): handler.answer(page, on: stream)
            case .failure(let failure): handler.readFailed(failure, waiting: query.answerMilliseconds, on: stream)
            }
        }
    }

    func startRecord(_ index: LogIndex, on stream: HTTP2Stream) {
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

    func startFollowing(_ query: RecordsQuery, on stream: HTTP2Stream) {
        let follower = RecordFollower(api: self.api, query: query, stream: stream, label: self.label)
        self.follower = follower
        let bound = NIOLoopBound((self, stream), eventLoop: stream.eventLoop)
        self.task = follower.start { failure in
            let (handler, stream) = bound.value
            handler.readFailed(failure, waiting: 0, on: stream)
        }
    }

    func answerTail(on stream: HTTP2Stream) {
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
}
