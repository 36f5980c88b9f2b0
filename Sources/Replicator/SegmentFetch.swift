import HTTP2Transport
import HTTPTypes
import LogModel
import Logging
import NIOCore
import NIOPosix
import RangeCodec
import SegmentLog

/// A copy of a segment on its way into this node's directory.
protocol SegmentCopy: Sendable {
    associatedtype Verified: Sendable
    /// Bytes so far.
    var byteCount: Int { get }
    var segment: SegmentID { get }
    mutating func write(_ bytes: Bytes) throws(LogError)
    func cancel()
    /// The copy, checked as a whole, and synced.
    func verified() throws(LogError) -> Verified
}

extension FirstSegmentCopy: SegmentCopy {}
extension SegmentReplacement: SegmentCopy {}

/// Copies a peer's segment into this node's directory, piece by piece, and checks the whole.
struct SegmentFetch<Copy: SegmentCopy>: Sendable {
    /// Bytes asked for at a time.
    private static var pieceByteCount: Int { 1 << 20 }
    private static var pieceTimeoutMilliseconds: Int64 { 10_000 }
    /// `nil` for the peer's first one, whatever its number.
    let segment: SegmentID?
    let peer: ClusterPeer
    let tls: TLSCalling?
    let pool: NIOThreadPool
    let eventLoop: any EventLoop
    let logger: Logger
    /// Blocking: on the pool.
    let begin: @Sendable (SegmentID) throws -> Copy

    /// - Returns: The copy; it is removed again when the task is cancelled.
    func run() async throws -> Copy.Verified {
        let client = HTTP2Client(on: self.eventLoop, limits: .peer, tls: self.tls, logger: self.logger)
        do {
            let copy = try await self.copy(client)
            await client.shutdown(grace: .zero)
            return copy
        } catch {
            await client.shutdown(grace: .zero)
            throw error
        }
    }

    private func copy(_ client: HTTP2Client) async throws -> Copy.Verified {
        let (begin, pool) = (self.begin, self.pool)
        var piece = try await self.piece(of: self.segment, at: 0, client)
        let tag = piece.tag
        var copy = try await pool.runIfActive { [piece] in try begin(piece.segment) }
        do {
            while true {
                copy = try await pool.runIfActive { [copy, piece] in
                    var copy = copy
                    try copy.write(piece.raw)
                    return copy
                }
                try Task.checkCancellation()
                if copy.byteCount >= piece.segmentByteCount { break }
                piece = try await self.piece(of: copy.segment, at: copy.byteCount, client)
                guard tag == piece.tag else { throw SegmentFetchError.changed }
            }
            return try await pool.runIfActive { [copy] in try copy.verified() }
        } catch {
            copy.cancel()
            throw error
        }
    }

    private func piece(of segment: SegmentID?, at offset: Int, _ client: HTTP2Client) async throws -> Piece {
        let name = segment.map(\.description) ?? "first"
        let path = "\(SegmentRequest.prefix)\(name)?offset=\(offset)&length=\(Self.pieceByteCount)"
        let request = HTTPRequest(
            method: .get, scheme: nil, authority: nil, path: path, headerFields: [.acceptEncoding: "deflate"])
        let (head, body) = try await client.execute(
            request, to: HTTP2Address(host: self.peer.peerHost, port: self.peer.peerPort),
            timeout: .milliseconds(Self.pieceTimeoutMilliseconds), bodyByteCountMax: 2 * Self.pieceByteCount)
        guard head.status == .ok else {
            throw SegmentFetchError.refused(status: head.status.code, String(buffer: body))
        }
        guard let total = head.headerFields[.holdfastSegmentLength].flatMap({ Int($0) }), total > offset,
            let number = head.headerFields[.holdfastSegment].flatMap({ UInt32($0) })
        else { throw SegmentFetchError.badAnswer }
        let encoding: BodyEncoding = head.headerFields[.contentEncoding] == "deflate" ? .deflate : .identity
        let raw = try await self.pool.runIfActive {
            var decoder = RangeDecoder()
            return try decoder.decode(
                Array(buffer: body)[...], encoding: encoding, rawByteCount: min(Self.pieceByteCount, total - offset),
                limit: Self.pieceByteCount)
        }
        return Piece(
            segment: SegmentID(number), raw: raw, segmentByteCount: total, tag: head.headerFields[.eTag])
    }
}

private struct Piece: Sendable {
    var segment: SegmentID
    var raw: Bytes
    /// Of the whole segment.
    var segmentByteCount: Int
    var tag: String?
}

/// Why a peer's segment could not be copied; the log is as it was.
enum SegmentFetchError: Error, Hashable {
    case refused(status: Int, String)
    /// The answer does not say which segment it is, or how long.
    case badAnswer
    /// The pieces are of different segments.
    case changed
}

extension SegmentFetchError {
    /// What whoever reads of a copy that was not made is to do.
    ///
    /// - Parameter usual: Where nothing better is known.
    static func hint(after error: any Error, else usual: String) -> String {
        guard case .laterFormat? = error as? LogError else { return usual }
        return "the peer's copy is good: run its release on this node, too, or a later one"
    }
}
