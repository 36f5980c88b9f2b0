import LogModel
import NIOCore
import NIOPosix
import RangeCodec
import WireFormat

/// Compresses ranges off the event loop, once for all followers, and keeps each stream's order.
///
/// Under `auto`, deflating gets a twentieth of a core, for the processor is what appends need, too; all that it takes gets it
/// for a link that is behind, since there the wire is what is waited for.
///
/// Event loop only; the work itself is done on a pool.
final class RangeShipping {
    struct Encoded: Sendable {
        var encoding: RangeEncoding
        var body: Bytes
        fileprivate var nanoseconds: Int64
    }

    private struct Key: Hashable {
        /// One leader of one term never places different bytes at one position.
        var term: Term
        var from: Position
        var byteCount: Int
    }

    /// Under `auto`, ranges under this size go as they are, at once.
    static let smallByteCount = 64 << 10
    private static let keptCountMax = 16
    /// Larger ranges are compressed once for each follower.
    private static let keptByteCountMax = 1 << 20
    /// Of ranges from now on.
    var compression: RangeCompression
    private var share = ProcessorShare(percent: 5)
    private let pool: NIOThreadPool
    private let eventLoop: any EventLoop
    private var kept: [(key: Key, encoded: EventLoopFuture<Encoded>)] = []

    init(compression: RangeCompression, pool: NIOThreadPool, eventLoop: any EventLoop) {
        self.compression = compression
        self.pool = pool
        self.eventLoop = eventLoop
    }

    /// - Parameter isBehind: The link cannot keep up with what is shipped.
    /// - Returns: `nil` when the range should go as it is.
    func encode(_ range: RangeMessage, isBehind: Bool, now: NIODeadline) -> EventLoopFuture<Encoded>? {
        let byteCountMin: Int
        let mode: RangeEncodingMode
        switch self.compression {
        case .auto: (byteCountMin, mode) = (Self.smallByteCount, .auto)
        case .always: (byteCountMin, mode) = (1, .deflate)
        case .never: return nil
        }
        guard range.body.count >= byteCountMin else { return nil }
        let key = Key(term: range.term, from: range.from, byteCount: range.body.count)
        if let known = self.kept.first(where: { $0.key == key }) { return known.encoded }
        guard self.compression == .always || isBehind || self.share.isLeft(at: now) else { return nil }
        let body = range.body
        let encoded = self.pool.runIfActive(eventLoop: self.eventLoop) {
            let started = NIODeadline.now()
            var encoder = RangeEncoder()
            let (encoding, bytes) = encoder.encode(body, mode: mode)
            return Encoded(
                encoding: encoding == .deflate ? .deflate : .identity, body: bytes,
                nanoseconds: (NIODeadline.now() - started).nanoseconds)
        }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        encoded.whenSuccess { bound.value.share.spend($0.nanoseconds) }
        guard range.body.count <= Self.keptByteCountMax else { return encoded }
        if self.kept.count >= Self.keptCountMax { self.kept.removeFirst() }
        self.kept.append((key, encoded))
        return encoded
    }
}
