import LogModel
import NIOCore

/// What begins with a length and is no frame; nothing after that is understood.
package enum FrameError: Error, Hashable, Sendable {
    case tooLong(byteCount: Int, byteCountMax: Int)
    case tooShort(byteCount: Int)
    case unknownKind(UInt8)
    case badFrame
}

/// One batch of a session, from the client, little-endian.
///
///     offset 0            4              12          16
///            | u32 length | u64 sequence | u32 count | records ...
///
/// `length` is that of all that follows it. A record: `flags u8 (1 tombstone, 2 ttl) | key length varint | value length varint
/// | [ttl ms varint] | key | value`, LEB128, as it will stand in the log. Golden bytes: SessionFramesTests.
package struct SessionBatch: Sendable {
    package static let contentType = "application/vnd.holdfast.frames"
    package static let headByteCount = 16
    package static let byteCountMax = 8 << 20

    package var sequence: UInt64
    package var count: Int
    package var records: ByteBuffer

    /// - Returns: The whole batch, with a sequence of zero for ``number(_:as:)``.
    package static func encode(_ records: [Record]) -> ByteBuffer {
        let byteCount = records.reduce(Self.headByteCount) { $0 + 32 + $1.key.count + $1.value.count }
        var buffer = ByteBufferAllocator().buffer(capacity: byteCount)
        buffer.writeRepeatingByte(0, count: Self.headByteCount)
        for record in records {
            buffer.writeInteger((record.isTombstone ? 1 : 0) | (record.timeToLiveMilliseconds == nil ? 0 : 2) as UInt8)
            buffer.write(varint: UInt64(record.key.count))
            buffer.write(varint: UInt64(record.value.count))
            if let timeToLive = record.timeToLiveMilliseconds { buffer.write(varint: timeToLive) }
            buffer.writeBytes(record.key)
            buffer.writeBytes(record.value)
        }
        buffer.setInteger(UInt32(clamping: buffer.readableBytes - 4), at: 0, endianness: .little)
        buffer.setInteger(UInt32(clamping: records.count), at: 12, endianness: .little)
        return buffer
    }

    package static func number(_ batch: inout ByteBuffer, as sequence: UInt64) {
        batch.setInteger(sequence, at: batch.readerIndex + 4, endianness: .little)
    }

    /// Takes the next whole batch off the buffer.
    ///
    /// - Returns: `nil` when it is not there yet.
    package static func next(from buffer: inout ByteBuffer) throws(FrameError) -> SessionBatch? {
        guard var frame = try buffer.nextFrame(byteCountMax: Self.byteCountMax) else { return nil }
        let byteCount = frame.readableBytes
        guard let sequence = frame.readInteger(endianness: .little, as: UInt64.self),
            let count = frame.readInteger(endianness: .little, as: UInt32.self)
        else { throw .tooShort(byteCount: byteCount) }
        return SessionBatch(sequence: sequence, count: Int(count), records: frame)
    }
}

/// One answer of a session, from the server, little-endian: acknowledgements in the order of the batches; a problem is
/// the last one.
///
///     u32 length | u8 1 | u8 flags (1 persisted, 2 duplicate) | u8 nodes | u8 voters | u64 sequence | u64 first index
///                | u32 record count | u32 segment | u32 offset | u64 term
///     u32 length | u8 2 | u64 sequence | problem document, JSON
///
/// The sequence of a problem is that of the first batch that is not acknowledged. What the document says of it is true of all
/// that follow: `"applied": "no"`, and none of them is in the log; `"unknown"`, and each of them may be, in order.
package enum SessionAnswer: Hashable, Sendable {
    case acknowledged(sequence: UInt64, AppendReceipt)
    case failed(sequence: UInt64, ProblemDocument)

    package static let byteCountMax = 64 << 10
    package static let acknowledgementByteCount = 44

    package func encode(into buffer: inout ByteBuffer) {
        switch self {
        case .acknowledged(let sequence, let receipt):
            let flags: UInt8 = (receipt.durability == .persisted ? 1 : 0) | (receipt.isDuplicate ? 2 : 0)
            buffer.writeMultipleIntegers(
                40 as UInt32, 1 as UInt8, flags, UInt8(clamping: receipt.nodes), UInt8(clamping: receipt.voters),
                sequence, receipt.first.rawValue, UInt32(clamping: receipt.last.rawValue - receipt.first.rawValue + 1),
                receipt.position.segment.rawValue, receipt.position.offset, receipt.term.rawValue, endianness: .little)
        case .failed(let sequence, let problem):
            let document = problem.json
            buffer.writeInteger(UInt32(9 + document.count), endianness: .little)
            buffer.writeInteger(2 as UInt8)
            buffer.writeInteger(sequence, endianness: .little)
            buffer.writeBytes(document)
        }
    }

    /// Takes the next whole answer off the buffer.
    ///
    /// - Returns: `nil` when it is not there yet.
    package static func next(from buffer: inout ByteBuffer) throws(FrameError) -> SessionAnswer? {
        guard var frame = try buffer.nextFrame(byteCountMax: Self.byteCountMax) else { return nil }
        let byteCount = frame.readableBytes
        guard let kind = frame.readInteger(as: UInt8.self) else { throw .tooShort(byteCount: byteCount) }
        switch kind {
        case 1: return try Self.acknowledgement(&frame)
        case 2:
            guard let sequence = frame.readInteger(endianness: .little, as: UInt64.self),
                let problem = ProblemDocument(json: frame.readableBytesView)
            else { throw .badFrame }
            return .failed(sequence: sequence, problem)
        default: throw .unknownKind(kind)
        }
    }

    private static func acknowledgement(_ frame: inout ByteBuffer) throws(FrameError) -> SessionAnswer {
        guard
            let (flags, nodes, voters, sequence, first, count, segment, offset, term) = frame.readMultipleIntegers(
                endianness: .little,
                as: (UInt8, UInt8, UInt8, UInt64, UInt64, UInt32, UInt32, UInt32, UInt64).self),
            first > 0, count > 0, first <= UInt64.max - UInt64(count), frame.readableBytes == 0
        else { throw .badFrame }
        return .acknowledged(
            sequence: sequence,
            AppendReceipt(
                first: LogIndex(first), last: LogIndex(first + UInt64(count) - 1), position: Position(segment, offset),
                term: Term(term), durability: flags & 1 != 0 ? .persisted : .replicated, nodes: Int(nodes),
                voters: Int(voters), isDuplicate: flags & 2 != 0))
    }
}

extension ByteBuffer {
    /// Adds what came next of a stream, and lets go of what was read when that is more than what is left: the rest moves
    /// less often than it grows, and the memory stays that of a frame or two.
    package mutating func add(_ piece: ByteBuffer) {
        guard self.readableBytes > 0 else { return self = piece }
        if self.readerIndex > self.readableBytes { self.discardReadBytes() }
        self.writeImmutableBuffer(piece)
    }

    /// What stands behind a length that is whole.
    mutating func nextFrame(byteCountMax: Int) throws(FrameError) -> ByteBuffer? {
        guard let length = self.getInteger(at: self.readerIndex, endianness: .little, as: UInt32.self) else {
            return nil
        }
        guard length <= byteCountMax else { throw .tooLong(byteCount: Int(length), byteCountMax: byteCountMax) }
        guard self.readableBytes >= 4 + Int(length) else { return nil }
        self.moveReaderIndex(forwardBy: 4)
        return self.readSlice(length: Int(length))
    }

    fileprivate mutating func write(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            self.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        self.writeInteger(UInt8(rest))
    }
}
