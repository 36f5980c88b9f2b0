import HTTPTypes
import HoldfastClient
import LogModel
import LogState
import NIOCore
import ReplicaCore

/// What a request wants of the log's own state: a change, and how it is answered once it is made.
struct StateRequest {
    var change: StateChange
    /// `nil`: there is nothing to say.
    var answer: [UInt8]?

    /// - Returns: `nil` for routes that change no state.
    /// - Throws: 400; nothing was applied.
    init?(_ route: Route, body: ByteBuffer) throws(Problem) {
        switch route {
        case .setCursor(let name):
            struct Body: Decodable {
                var index: UInt64
                var hold: Bool?
            }
            guard let body = JSONDocument.decode(Body.self, from: body.readableBytesView), body.index > 0 else {
                throw .badRequest(
                    "the body does not say where the cursor is",
                    hint: #"Send {"index":42}, the next record to be read, from 1; or {"index":42,"hold":true}."#)
            }
            let cursor = Cursor(index: LogIndex(body.index), holdsTrims: body.hold ?? false)
            self.change = .setCursor(name, cursor)
            self.answer = CursorDocument(name, cursor).json
        case .deleteCursor(let name):
            self.change = .deleteCursor(name)
        case .raiseFence:
            struct Body: Codable { var token: UInt64 }
            guard let body = JSONDocument.decode(Body.self, from: body.readableBytesView), body.token > 0 else {
                throw .badRequest("the body holds no fencing token", hint: #"Send {"token":7}: a number from 1."#)
            }
            self.change = .raiseFence(to: body.token)
            self.answer = JSONDocument.encode(body)
        default: return nil
        }
    }
}

extension Problem {
    /// Of every change but an append whose outcome is not known.
    static let changeAgain = "Try again: what is made twice does no harm."

    /// What is wrong with a change of the log's own state: unlike an append it may be made twice.
    init(change failure: AppendFailure) {
        self.init(failure)
        if self.document.applied == .unknown { self.document.hint = Self.changeAgain }
    }
}
