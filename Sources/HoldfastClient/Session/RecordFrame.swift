import LogModel
import NIOCore

/// One piece of an answer that carries records as `application/vnd.holdfast.frames`, little-endian: records in order, then
/// the end, or a problem. An answer without either was cut off.
///
///     u32 length | u8 1 | u8 flags (1 tombstone, 2 ttl) | u16 0 | u32 key length | u64 index | u64 term | u32 segment
///                | u32 offset | u64 nanoseconds since 1970 | [u64 ttl ms] | key | value
///     u32 length | u8 2 | problem document, JSON
///     u32 length | u8 3 | u8 flags (1 up to date) | u16 0 | u64 next index | u64 first index | u64 last index
///
/// `length` is that of all that follows it. The heads are Python's `struct` formats `<IBBHIQQIIQ`, `<IB` and `<IBBHQQQ`.
/// Golden bytes: RecordFrameTests.
package enum RecordFrame: Hashable, Sendable {
    case record(IndexedRecord)
    /// What kept the server from going on.
    case failed(ProblemDocument)
    /// All that was asked for has come.
    case end(PageEnd)

    package static let contentType = SessionBatch.contentType
    /// A record is part of one frame of the log, which has at most 16 MiB.
    package static let byteCountMax = (16 << 20) + 64
    /// Of a record's frame, without its length, its ttl, its key and its value.
    private static let recordHeadByteCount = 40
    private static let endByteCount = 28

    // MARK: Writing

    package static func encode(_ records: some Collection<IndexedRecord>, into buffer: inout ByteBuffer) {
        buffer.reserveCapacity(
            minimumWritableBytes: records.reduce(64) { $0 + 52 + $1.record.key.count + $1.record.value.count })
        for record in records { Self.encode(record, into: &buffer) }
    }

    private static func encode(_ record: IndexedRecord, into buffer: inout ByteBuffer) {
        let contents = record.record
        let timeToLive = contents.timeToLiveMilliseconds
        let byteCount =
            Self.recordHeadByteCount + (timeToLive == nil ? 0 : 8) + contents.key.count + contents.value.count
        let flags: UInt8 = (contents.isTombstone ? 1 : 0) | (timeToLive == nil ? 0 : 2)
        buffer.writeMultipleIntegers(
            UInt32(clamping: byteCount), 1 as UInt8, flags, 0 as UInt16, UInt32(clamping: contents.key.count),
            record.index.rawValue, record.term.rawValue, record.position.segment.rawValue, record.position.offset,
            record.timestamp.nanoseconds, endianness: .little)
        if let timeToLive { buffer.writeInteger(timeToLive, endianness: .little) }
        buffer.writeBytes(contents.key)
        buffer.writeBytes(contents.value)
    }

    package static func encode(_ end: PageEnd, into buffer: inout ByteBuffer) {
        buffer.writeMultipleIntegers(
            UInt32(Self.endByteCount), 3 as UInt8, (end.isUpToDate ? 1 : 0) as UInt8, 0 as UInt16, end.next.rawValue,
            end.firstIndex.rawValue, end.lastIndex.rawValue, endianness: .little)
    }

    package static func encode(_ problem: ProblemDocument, into buffer: inout ByteBuffer) {
        let document = problem.json
        buffer.writeInteger(UInt32(1 + document.count), endianness: .little)
        buffer.writeInteger(2 as UInt8)
        buffer.writeBytes(document)
    }

    // MARK: Reading

    /// Takes the next whole frame off the buffer.
    ///
    /// - Returns: `nil` when it is not there yet.
    package static func next(from buffer: inout ByteBuffer) throws(FrameError) -> RecordFrame? {
        guard var frame = try buffer.nextFrame(byteCountMax: Self.byteCountMax) else { return nil }
        guard let kind = frame.readInteger(as: UInt8.self) else { throw .tooShort(byteCount: 0) }
        switch kind {
        case 1: return .record(try Self.record(&frame))
        case 2:
            guard let problem = ProblemDocument(json: frame.readableBytesView) else { throw .badFrame }
            return .failed(problem)
        case 3: return .end(try Self.end(&frame))
        default: throw .unknownKind(kind)
        }
    }

    private static func record(_ frame: inout ByteBuffer) throws(FrameError) -> IndexedRecord {
        guard
            let (flags, _, keyByteCount, index, term, segment, offset, nanoseconds) = frame.readMultipleIntegers(
                endianness: .little,
                as: (UInt8, UInt16, UInt32, UInt64, UInt64, UInt32, UInt32, UInt64).self), flags < 4
        else { throw .badFrame }
        var timeToLive: UInt64?
        if flags & 2 != 0 {
            timeToLive = frame.readInteger(endianness: .little)
            guard timeToLive != nil else { throw .badFrame }
        }
        guard let rest = frame.readBytes(length: frame.readableBytes), keyByteCount <= rest.count else {
            throw .badFrame
        }
        // One array for both.
        let key = rest[..<Int(keyByteCount)]
        return IndexedRecord(
            index: LogIndex(index), position: Position(segment, offset), term: Term(term),
            timestamp: Timestamp(nanoseconds: nanoseconds),
            record: Record(
                key: key, value: rest[key.endIndex...], isTombstone: flags & 1 != 0,
                timeToLiveMilliseconds: timeToLive))
    }

    private static func end(_ frame: inout ByteBuffer) throws(FrameError) -> PageEnd {
        guard
            let (flags, _, next, first, last) = frame.readMultipleIntegers(
                endianness: .little, as: (UInt8, UInt16, UInt64, UInt64, UInt64).self), frame.readableBytes == 0
        else { throw .badFrame }
        return PageEnd(
            next: LogIndex(next), isUpToDate: flags & 1 != 0, firstIndex: LogIndex(first), lastIndex: LogIndex(last))
    }
}
