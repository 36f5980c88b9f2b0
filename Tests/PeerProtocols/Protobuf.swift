import NIOCore

/// As much of Protocol Buffers as etcd's messages take: <https://protobuf.dev/programming-guides/encoding/>.
package enum Protobuf {
    package enum Failure: Error, Hashable {
        /// The message ends within a field.
        case truncated
        /// A kind of field that proto3 does not have.
        case unknownWireType(UInt64)
    }

    /// What a field holds; fixed32 and fixed64 are skipped, since etcd uses neither.
    package enum Value: Hashable {
        case varint(UInt64)
        case bytes(ByteBuffer)
        case skipped
    }

    /// How many bytes a varint takes: 1 ... 10.
    package static func byteCount(ofVarint value: UInt64) -> Int { (70 - (value | 1).leadingZeroBitCount) / 7 }

    /// How many bytes a field of so many bytes takes, with its tag and length; its number is below 16.
    package static func byteCount(ofField byteCount: Int) -> Int {
        1 + self.byteCount(ofVarint: UInt64(byteCount)) + byteCount
    }

    package static func write(varint value: UInt64, into buffer: inout ByteBuffer) {
        var rest = value
        while rest >= 0x80 {
            buffer.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.writeInteger(UInt8(truncatingIfNeeded: rest))
    }

    /// Begins a field of `byteCount` bytes, which the caller writes.
    ///
    /// - Parameter number: 1 ... 15.
    package static func write(field number: UInt8, byteCount: Int, into buffer: inout ByteBuffer) {
        precondition((1...15).contains(number), "a field number takes one byte")
        buffer.writeInteger(number << 3 | 2)
        self.write(varint: UInt64(byteCount), into: &buffer)
    }

    package static func write(field number: UInt8, varint value: UInt64, into buffer: inout ByteBuffer) {
        precondition((1...15).contains(number), "a field number takes one byte")
        buffer.writeInteger(number << 3)
        self.write(varint: value, into: &buffer)
    }

    /// Takes the next field off a message.
    ///
    /// - Returns: `nil` at its end.
    package static func next(
        from message: inout ByteBuffer
    ) throws(Failure) -> (number: UInt64, value: Value)? {
        guard message.readableBytes > 0 else { return nil }
        let tag = try self.varint(from: &message)
        switch tag & 7 {
        case 0: return (tag >> 3, .varint(try self.varint(from: &message)))
        case 1: return (tag >> 3, try self.skip(8, of: &message))
        case 2:
            let count = try self.varint(from: &message)
            guard let length = Int(exactly: count), let bytes = message.readSlice(length: length) else {
                throw .truncated
            }
            return (tag >> 3, .bytes(bytes))
        case 5: return (tag >> 3, try self.skip(4, of: &message))
        default: throw .unknownWireType(tag & 7)
        }
    }

    private static func skip(_ byteCount: Int, of message: inout ByteBuffer) throws(Failure) -> Value {
        guard message.readSlice(length: byteCount) != nil else { throw .truncated }
        return .skipped
    }

    private static func varint(from message: inout ByteBuffer) throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64, let byte = message.readInteger(as: UInt8.self) {
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .truncated
    }
}
