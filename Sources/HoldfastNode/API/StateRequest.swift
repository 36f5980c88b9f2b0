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
            let cursor = try Self.cursor(body)
            self.change = .setCursor(name, cursor)
            self.answer = CursorDocument(name, cursor).json
        case .deleteCursor(let name):
            self.change = .deleteCursor(name)
        case .raiseFence:
            let token = try Self.token(body)
            self.change = .raiseFence(to: token)
            self.answer = JSONDocument.encode(["token": token])
        default: return nil
        }
    }

    private static func cursor(_ body: ByteBuffer) throws(Problem) -> Cursor {
        let bytes = Bytes(body.readableBytesView)
        do {
            return try JSONReader.read(bytes) { reader throws(JSONDefect) in
                var index: UInt64 = 0
                var isHolding = false
                try reader.object { reader, name throws(JSONDefect) in
                    switch name {
                    case "index": index = try reader.positiveNumber()
                    // As in the document that is answered; the path says which one it is.
                    case "name": _ = try reader.text()
                    case "hold": isHolding = reader.null() ? false : try reader.flag()
                    default: throw .unknownName(name, known: ["index", "hold"], at: reader.place)
                    }
                }
                guard index > 0 else { throw .missing("index", at: reader.place) }
                return Cursor(index: LogIndex(index), holdsTrims: isHolding)
            }
        } catch {
            throw .badBody(
                "a cursor", error, of: bytes,
                hint: #"Send {"index":42}, the next record to be read, from 1; or {"index":42,"hold":true}."#)
        }
    }

    private static func token(_ body: ByteBuffer) throws(Problem) -> UInt64 {
        let bytes = Bytes(body.readableBytesView)
        do { return try JSONReader.number("token", of: bytes) } catch {
            throw .badBody("a fencing token", error, of: bytes, hint: #"Send {"token":7}: a number from 1."#)
        }
    }
}

extension JSONReader {
    /// `{"before":7}`: a document of one number from 1.
    static func number(_ name: String, of body: Bytes) throws(JSONDefect) -> UInt64 {
        try Self.read(body) { reader throws(JSONDefect) in
            var number: UInt64?
            try reader.object { reader, found throws(JSONDefect) in
                guard found == name else { throw .unknownName(found, known: [name], at: reader.place) }
                number = try reader.positiveNumber()
            }
            guard let number else { throw .missing(name, at: reader.place) }
            return number
        }
    }

    fileprivate mutating func positiveNumber() throws(JSONDefect) -> UInt64 {
        let start = self.place
        let number = try self.wholeNumber()
        guard number > 0 else { throw .expected("a whole number from 1", at: start) }
        return number
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
