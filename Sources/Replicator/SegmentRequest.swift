import HTTP2Transport
import HTTPTypes
import LogModel
import NIOCore
import SegmentLog

/// `GET /peer/v1/segments/{id}?offset=&length=`: which bytes of which segment, and how they may travel. `first` stands for
/// the first one, for nodes that have no log and know no number.
struct SegmentRequest {
    static let prefix = "/peer/v1/segments/"

    /// `nil` for the first one.
    let segment: SegmentID?
    private var offset = 0
    /// `nil`: up to the segment's end.
    private var byteCount: Int?
    let takesDeflate: Bool

    /// - Throws: 400 for what is no number, and for a parameter that is not known.
    init(_ head: HTTPRequest) throws(SegmentRefusal) {
        let target = (head.path ?? "").dropFirst(Self.prefix.count)
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.segment = UInt32(parts[0]).map { SegmentID($0) }
        guard self.segment != nil || parts[0] == "first" else {
            throw .badRequest("\(parts[0]) is not the number of a segment")
        }
        self.takesDeflate = Self.takesDeflate(head.headerFields[.acceptEncoding] ?? "")
        for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let value = UInt32(halves[1]) else {
                throw .badRequest("\(pair) is not a number of bytes")
            }
            switch halves[0] {
            case "offset": self.offset = Int(value)
            case "length" where value > 0: self.byteCount = Int(value)
            default: throw .badRequest("\(pair) is not understood: offset, and length from 1, are known")
            }
        }
    }

    /// RFC 9110 §12.5.3; `q=0` says that it is not acceptable.
    private static func takesDeflate(_ accepted: String) -> Bool {
        accepted.split(separator: ",").contains { item in
            let words = item.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            return words.first == "deflate"
                && !words.dropFirst().contains { $0.hasPrefix("q=0") && Double($0.dropFirst(2)) == 0 }
        }
    }

    /// - Returns: The bytes asked for, as far as there are any.
    /// - Throws: 416 when the segment ends before.
    func range(of segment: SegmentID, _ byteCount: Int) throws(SegmentRefusal) -> Range<Int> {
        guard self.offset < byteCount else { throw .beyondEnd(segment, offset: self.offset, byteCount: byteCount) }
        let count = min(self.byteCount ?? byteCount, byteCount - self.offset)
        return self.offset..<self.offset + count
    }
}

/// Why no bytes of a segment are served; told in words, since peers are not the only ones who ask.
struct SegmentRefusal: Error {
    var status: HTTPResponse.Status
    var detail: String
    var fields: HTTPFields = [:]

    static let noLog = SegmentRefusal(
        status: .serviceUnavailable, detail: "this node has no log, or is just taking it up")

    static func badRequest(_ detail: String) -> SegmentRefusal { SegmentRefusal(status: .badRequest, detail: detail) }

    static func beyondEnd(_ segment: SegmentID, offset: Int, byteCount: Int) -> SegmentRefusal {
        SegmentRefusal(
            status: .rangeNotSatisfiable,
            detail: "segment \(segment) is \(byteCount) bytes long, \(offset) is behind it",
            fields: [.contentRange: "bytes */\(byteCount)"])
    }

    init(status: HTTPResponse.Status, detail: String, fields: HTTPFields = [:]) {
        self.status = status
        self.detail = detail
        self.fields = fields
    }

    init(_ error: LogError, of segment: SegmentID) {
        switch error {
        case .trimmed(let first):
            self.init(
                status: .notFound,
                detail: "segment \(segment) was trimmed; the log begins with segment \(first.segment)")
        case .beyondTail(let tail):
            self.init(
                status: .notFound, detail: "there is no segment \(segment); the log ends in segment \(tail.segment)")
        case .notSealed:
            self.init(status: .conflict, detail: "segment \(segment) is not sealed and committed here yet")
        case .damaged: self.init(status: .conflict, detail: "segment \(segment) is damaged here: ask another node")
        default: self.init(status: .internalServerError, detail: "segment \(segment) cannot be read: \(error)")
        }
    }

    func respond(on stream: HTTP2Stream) {
        var head = HTTPResponse(status: self.status, headerFields: self.fields)
        head.headerFields[.contentType] = "text/plain"
        stream.respond(head, body: ByteBuffer(string: self.detail + "\n"))
    }
}
