import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import ReplicaCore
import Replicator

/// Cursors and fencing tokens: what the log keeps besides its records.
extension ClientRequestHandler {
    func startChange(_ request: StateRequest, on stream: HTTP2Stream) {
        let eventLoop = stream.eventLoop
        let bound = NIOLoopBound((self, stream), eventLoop: eventLoop)
        self.api.service.append(Submission(request.change)) { result in
            eventLoop.execute {
                let (handler, stream) = bound.value
                handler.changed(result, as: request.answer, on: stream)
            }
        }
    }

    private func changed(
        _ result: Result<AppendOutcome, AppendFailure>, as answer: [UInt8]?, on stream: HTTP2Stream
    ) {
        switch result {
        case .success:
            guard let answer else { return self.answer(self.api.head(.noContent, contentType: nil), nil, on: stream) }
            self.answer(self.api.head(.ok), ByteBuffer(bytes: answer), on: stream)
        case .failure(.notLeader(let leader)): self.passToLeader(leader, on: stream)
        case .failure(let failure): self.answer(Problem(change: failure), on: stream)
        }
    }

    /// - Parameter name: `nil` for all of them.
    func startCursors(_ name: CursorName?, on stream: HTTP2Stream) {
        self.run(on: stream) { [api] () -> Result<[CursorDocument], ReadFailure> in
            do throws(ReadFailure) {
                return .success(try await api.service.cursors().byName.map { CursorDocument($0.name, $0.cursor) })
            } catch {
                return .failure(error)
            }
        } then: { handler, stream, result in
            switch result {
            case .success(let cursors): handler.answer(cursors, of: name, on: stream)
            case .failure(let failure): handler.readFailed(failure, waiting: 0, on: stream)
            }
        }
    }

    private func answer(_ cursors: [CursorDocument], of name: CursorName?, on stream: HTTP2Stream) {
        let body: [UInt8]
        if let name {
            guard let cursor = cursors.first(where: { $0.name == name.text }) else {
                return self.answer(Problem.noSuchCursor, on: stream)
            }
            body = cursor.json
        } else {
            body = CursorList(cursors: cursors).json
        }
        self.answer(self.api.head(.ok, fields: [.cacheControl: "no-store"]), ByteBuffer(bytes: body), on: stream)
    }
}
