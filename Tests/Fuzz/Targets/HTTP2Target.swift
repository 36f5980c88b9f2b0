import HTTP2Session
import LogModel

/// `u8 size of the pieces | frames of a client`, behind the preface.
enum HTTP2Target: FuzzTarget {
    static let name = "http2"
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static var seeds: [[UInt8]] {
        let settings = Self.frame(4)
        let head: [UInt8] = [0x82, 0x86, 0x84, 0x01, 1, 0x6e]
        let large = Self.frame(1, flags: 5, stream: 1, head + [0x40, 1, 0x78, 3, 0x61, 0x62, 0x63])
        let post = Self.frame(1, flags: 4, stream: 3, [0x83] + head.dropFirst())
        let body =
            Self.frame(0, flags: 8, stream: 3, [2, 0x61, 0x62, 0, 0]) + Self.frame(0, flags: 1, stream: 3, [0x63])
        let rest =
            Self.frame(1, stream: 5, head) + Self.frame(9, flags: 4, stream: 5)
            + Self.frame(2, stream: 5, [0, 0, 0, 0, 9])
            + Self.frame(3, stream: 5, [0, 0, 0, 8]) + Self.frame(6, [1, 2, 3, 4, 5, 6, 7, 8])
            + Self.frame(0, stream: 5, [1, 2]) + Self.frame(6, flags: 1, [1, 2, 3, 4, 5, 6, 7, 8])
            + Self.frame(8, [0, 0, 1, 0]) + Self.frame(0xbe, [1]) + Self.frame(7, [0, 0, 0, 0, 0, 0, 0, 0])
        return [[255] + settings + large, [3] + settings + post + body, [40] + settings + large + post + body + rest]
    }

    private static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt8 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, stream] + payload
    }

    static func test(_ input: [UInt8]) {
        guard let size = input.first, let session = try? HTTP2Session(role: .server, limits: HTTP2SessionLimits())
        else {
            return
        }
        var user = User()
        var rest = (Self.preface + input.dropFirst())[...]
        do throws(HTTP2SessionError) {
            while !rest.isEmpty {
                let piece = Array(rest.prefix(max(1, Int(size))))
                rest = rest.dropFirst(piece.count)
                var failure: HTTP2SessionError?
                piece.withUnsafeBytes { bytes in
                    do throws(HTTP2SessionError) { try session.receive(bytes, now: .zero) } catch { failure = error }
                }
                user.answer(session, pieceByteCount: piece.count)
                if let failure { throw failure }
            }
        } catch {
            precondition(session.isFinished, "\(error) leaves something to be said or heard")
        }
        precondition(session.openStreamCount <= 512, "more streams than are allowed")
    }

    /// Answers requests, and remembers what it was told of each.
    private struct User {
        private enum Stage { case headed, ended, closed }
        private var stages: [HTTP2StreamID: Stage] = [:]

        mutating func answer(_ session: HTTP2Session, pieceByteCount: Int) {
            repeat {
                var events: [HTTP2Event] = []
                session.takeEvents(into: &events)
                for event in events { self.received(event, session, pieceByteCount) }
                _ = session.drain(byteCountMax: 1 << 20)
                precondition(session.output.byteCount < 2 << 20, "much is said of little")
                session.discardOutput()
            } while session.hasEvents
        }

        private mutating func received(_ event: HTTP2Event, _ session: HTTP2Session, _ pieceByteCount: Int) {
            switch event {
            case .head(let id, _), .headTooLarge(let id):
                precondition(self.stages.updateValue(.headed, forKey: id) == nil, "two heads of stream \(id)")
                session.respond(to: id, [HTTP2Field(":status", "200")], endStream: id % 4 == 1)
                if id % 4 == 3 { session.send(bodyOf: id, byteCount: 100) }
            case .body(let id, let range):
                precondition(self.stages[id] == .headed, "a body of stream \(id) before its head or behind its end")
                precondition(range.upperBound <= pieceByteCount, "a body that is no part of the input")
                session.consume(id, byteCount: range.count)
            case .end(let id, _):
                precondition(self.stages.updateValue(.ended, forKey: id) == .headed, "stream \(id) ends twice")
                session.end(id)
            case .closed(let id, _, _):
                precondition(self.stages.updateValue(.closed, forKey: id) != .closed, "stream \(id) is closed twice")
            case .goAway, .settings, .pong: break
            }
        }
    }
}
