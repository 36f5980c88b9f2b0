import HTTP2Transport
import HTTPTypes
import LogModel
import NIOCore
import NIOPosix
import RangeCodec
import SegmentLog

/// Where a node's segments are served from.
struct SegmentSource {
    let store: LogStore
    let watch: CommitWatch
    let pool: NIOThreadPool
}

/// Sends bytes of one sealed segment, a piece at a time: the next one is read when the one before has left.
///
///     start --> opened (pool) --> head --> piece (pool) --> sent --> piece ... --> end
///        '----> refused                      '-- becameWritable <--'
///
/// Event loop only; the disk and the compression work on the pool.
final class SegmentSending {
    private static let pieceByteCount = 256 << 10
    private let request: SegmentRequest
    private let source: SegmentSource
    private let stream: HTTP2Stream
    private let deflate: DeflateStream?
    private var file: SegmentFile?
    /// What is still to be read.
    private var rest = 0..<0
    private var isReading = false
    private var isClosed = false

    init(_ request: SegmentRequest, from source: SegmentSource, on stream: HTTP2Stream) {
        self.request = request
        self.source = source
        self.stream = stream
        self.deflate = request.takesDeflate ? DeflateStream() : nil
    }

    func start() {
        let store = self.source.store
        let segment = self.request.segment ?? store.first.segment
        let commit = self.source.watch.view.position
        self.work {
            try store.sealedFile(segment, committedThrough: commit)
        } then: {
            $0.opened($1, of: segment)
        }
    }

    func becameWritable() { self.readNext() }

    func closed() {
        self.isClosed = true
        self.file = nil
    }

    private func opened(_ result: Result<SegmentFile, any Error>, of segment: SegmentID) {
        do throws(SegmentRefusal) {
            let file: SegmentFile
            switch result {
            case .success(let opened): file = opened
            case .failure(let error as LogError): throw SegmentRefusal(error, of: segment)
            case .failure: throw .noLog
            }
            self.rest = try self.request.range(of: segment, file.byteCount)
            self.file = file
            self.sendHead(of: file)
            self.readNext()
        } catch {
            error.respond(on: self.stream)
        }
    }

    private func sendHead(of file: SegmentFile) {
        // Equal tags are equal bytes: the last frame's checksum stands for all before it.
        var tag =
            "\(self.source.store.cluster)-\(file.segment)-\(file.byteCount)-\(String(file.lastChecksum, radix: 16))"
        var head = HTTPResponse(
            status: .ok,
            headerFields: [
                .contentType: "application/octet-stream", .holdfastSegment: "\(file.segment)",
                .holdfastSegmentLength: "\(file.byteCount)",
                .vary: "Accept-Encoding",
            ])
        if self.deflate != nil {
            tag += "-deflate"
            head.headerFields[.contentEncoding] = "deflate"
        } else {
            head.headerFields[.contentLength] = "\(self.rest.count)"
        }
        head.headerFields[.eTag] = "\"\(tag)\""
        self.stream.send(head: head)
    }

    private func readNext() {
        guard !self.isReading, let file = self.file, self.stream.isWritable else { return }
        self.isReading = true
        let piece = self.rest.lowerBound..<min(self.rest.upperBound, self.rest.lowerBound + Self.pieceByteCount)
        let isLast = piece.upperBound == self.rest.upperBound
        let deflate = self.deflate
        self.work {
            let raw = try file.read(piece)
            return ByteBuffer(bytes: deflate.map { $0.append(raw.span.bytes, isLast: isLast)[...] } ?? raw)
        } then: {
            $0.read($1, piece, isLast: isLast)
        }
    }

    private func read(_ result: Result<ByteBuffer, any Error>, _ piece: Range<Int>, isLast: Bool) {
        self.isReading = false
        guard case .success(let bytes) = result else { return self.stream.reset(.internalError) }
        self.rest = piece.upperBound..<self.rest.upperBound
        if isLast { self.file = nil }
        self.stream.send(bytes, endStream: isLast)
        self.readNext()
    }

    /// Does `body` on the pool and goes on here, unless the stream has closed.
    private func work<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value,
        then: @escaping @Sendable (SegmentSending, Result<Value, any Error>) -> Void
    ) {
        let bound = NIOLoopBound(self, eventLoop: self.stream.eventLoop)
        self.source.pool.runIfActive(eventLoop: self.stream.eventLoop, body).whenComplete { result in
            guard !bound.value.isClosed else { return }
            then(bound.value, result)
        }
    }
}
