import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import ReplicaCore
import Replicator
import SegmentFormat

/// Appends: in callbacks all the way.
extension ClientRequestHandler {
    func startAppend(on stream: HTTP2Stream) throws(Problem) {
        guard let append, let head else { return }
        // A request that looks for another leader comes here again.
        self.span = self.span ?? self.caller(of: head)?.begin()
        // Of appends with sequences, which are taken in order only, a large one should not be overtaken.
        let byteCountMax =
            append.isSequenced ? NodeLimits.sequencedByteCountOnLoopMax : NodeLimits.bodyByteCountOnLoopMax
        let room = self.body.readableBytes > NodeLimits.bodyByteCountOnLoopMax ? try self.keepBody() : nil
        guard self.body.readableBytes > byteCountMax else {
            return self.submit(try append.draft(body: self.body), of: append, on: stream)
        }
        self.run(on: stream) { [body] in
            withExtendedLifetime(room) { Result { () throws(Problem) in try append.draft(body: body) } }
        } then: { handler, stream, result in
            switch result {
            case .success(let draft): handler.submit(draft, of: append, on: stream)
            case .failure(let problem): handler.answer(problem, on: stream)
            }
        }
    }

    func caller(of head: HTTPRequest) -> TracedCaller? {
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
}
