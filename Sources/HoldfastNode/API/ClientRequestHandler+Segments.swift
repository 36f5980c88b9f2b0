import HTTP2Transport
import HTTPTypes
import HoldfastClient
import LogModel
import NIOCore
import Replicator

/// The log's files, as far as they are committed: for backups.
///
/// Every node answers for what it has itself, so nothing is forwarded.
extension ClientRequestHandler {
    func answerSegments(on stream: HTTP2Stream) {
        self.run(on: stream) { [api] () -> Result<SegmentsDocument, ReadFailure> in
            do throws(ReadFailure) {
                let segments = try await api.service.segments()
                return .success(SegmentsDocument(segments, await api.service.picture()))
            } catch {
                return .failure(error)
            }
        } then: { handler, stream, result in
            switch result {
            case .success(let document):
                let head = handler.api.head(.ok, fields: [.cacheControl: "no-store"])
                handler.answer(head, ByteBuffer(bytes: JSONDocument.encode(document)), on: stream)
            case .failure(let failure): handler.answer(Problem(failure), on: stream)
            }
        }
    }

    /// - Throws: 400 for a parameter that is not understood; 429 while others read.
    func startFrames(
        of segment: SegmentID, _ parameters: QueryParameters, on stream: HTTP2Stream
    ) throws(Problem) {
        let offset = try parameters.value("offset", expected: "an offset in the segment") { UInt32($0) } ?? 0
        let limit = try parameters.value("limit", expected: "1 to \(NodeLimits.segmentReadByteCountMax) bytes") {
            Int($0).flatMap { 1...NodeLimits.segmentReadByteCountMax ~= $0 ? $0 : nil }
        }
        guard let place = self.api.segmentReads.take() else { throw .segmentReadersBusy }
        self.segmentRead = place
        let start = Position(segment: segment, offset: offset)
        self.run(on: stream) { [api] () -> Result<CommittedFrames, ReadFailure> in
            do throws(ReadFailure) {
                return .success(
                    try await api.service.frames(
                        at: start, byteCountMax: limit ?? NodeLimits.segmentReadByteCount))
            } catch {
                return .failure(error)
            }
        } then: { handler, stream, result in
            switch result {
            case .success(let frames):
                guard stream.hasRoom(for: frames.bytes.count) else {
                    return handler.answer(Problem.answersUnread, on: stream)
                }
                let head = handler.api.head(
                    .ok, contentType: "application/octet-stream",
                    fields: [.holdfastNextPosition: "\(frames.next)", .cacheControl: "no-store"])
                handler.answer(head, ByteBuffer(bytes: frames.bytes), on: stream)
            case .failure(let failure): handler.answer(Problem(failure), on: stream)
            }
        }
    }
}

extension SegmentsDocument {
    init(_ segments: StoredSegments, _ picture: LogPicture) {
        self.init(
            node: picture.node.rawValue, cluster: segments.cluster.description, generation: picture.generation,
            term: picture.term.rawValue, firstSegment: segments.first.rawValue,
            firstIndex: segments.firstIndex.rawValue, commit: segments.commit.description,
            lastIndex: segments.nextIndex.rawValue - 1, bytes: UInt64(segments.byteCount))
    }
}
