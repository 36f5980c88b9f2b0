import NIOCore

/// The messages of etcd v3 that a load needs, each in its gRPC frame: u8 0 (not compressed) | u32 length, big-endian | message.
///
/// Numbers of fields: etcd's `rpc.proto` and `kv.proto`.
package enum EtcdMessages {
    package static let putPath = "/etcdserverpb.KV/Put"
    package static let transactionPath = "/etcdserverpb.KV/Txn"
    package static let watchPath = "/etcdserverpb.Watch/Watch"
    package static let frameHeadByteCount = 5
    /// Of a key that ``writeKey(_:into:)`` writes.
    private static let keyByteCount = 16

    /// `PutRequest { key = 1, value = 2 }`
    package static func put(key: UInt64, value: ByteBuffer) -> ByteBuffer {
        let byteCount = self.putByteCount(value)
        var buffer = self.frame(of: byteCount)
        self.writePut(key, value, into: &buffer)
        return buffer
    }

    /// `TxnRequest { success = 2: RequestOp { request_put = 2 } }`: all of them, or none. Keys follow each other.
    package static func puts(firstKey: UInt64, values: ArraySlice<ByteBuffer>) -> ByteBuffer {
        let operationByteCounts = values.map { Protobuf.byteCount(ofField: self.putByteCount($0)) }
        let byteCount = operationByteCounts.reduce(0) { $0 + Protobuf.byteCount(ofField: $1) }
        var buffer = self.frame(of: byteCount)
        for (offset, (value, operationByteCount)) in zip(values, operationByteCounts).enumerated() {
            Protobuf.write(field: 2, byteCount: operationByteCount, into: &buffer)
            Protobuf.write(field: 2, byteCount: self.putByteCount(value), into: &buffer)
            self.writePut(firstKey + UInt64(offset), value, into: &buffer)
        }
        return buffer
    }

    /// `WatchRequest { create_request = 1: WatchCreateRequest { key = 1, range_end = 2 } }`: of all keys, from now on.
    package static func watchAll() -> ByteBuffer {
        // etcd: a key and an end of one zero byte each are everything.
        let range: [UInt8] = [0x0A, 1, 0, 0x12, 1, 0]
        var buffer = self.frame(of: Protobuf.byteCount(ofField: range.count))
        Protobuf.write(field: 1, byteCount: range.count, into: &buffer)
        buffer.writeBytes(range)
        return buffer
    }

    /// Takes the next whole message off what a stream has brought.
    ///
    /// - Returns: `nil` when it is not there yet.
    package static func nextMessage(from buffer: inout ByteBuffer) -> ByteBuffer? {
        guard
            let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self),
            buffer.readableBytes >= self.frameHeadByteCount + Int(length)
        else { return nil }
        buffer.moveReaderIndex(forwardBy: self.frameHeadByteCount)
        return buffer.readSlice(length: Int(length))
    }

    package struct WatchAnswer: Hashable {
        /// `created = 3`: the watch stands.
        package var isCreated: Bool
        /// `canceled = 4`: nothing more comes.
        package var isCancelled: Bool
        /// `events = 11: Event { kv = 2: KeyValue { value = 5 } }`
        package var values: [ByteBuffer]

        package init(isCreated: Bool = false, isCancelled: Bool = false, values: [ByteBuffer] = []) {
            self.isCreated = isCreated
            self.isCancelled = isCancelled
            self.values = values
        }
    }

    package static func watchAnswer(_ message: ByteBuffer) throws(Protobuf.Failure) -> WatchAnswer {
        var (rest, answer) = (message, WatchAnswer())
        while let (number, value) = try Protobuf.next(from: &rest) {
            switch (number, value) {
            case (3, .varint(let flag)): answer.isCreated = flag != 0
            case (4, .varint(let flag)): answer.isCancelled = flag != 0
            case (11, .bytes(let event)):
                if let pair = try self.bytes(of: 2, in: event), let value = try self.bytes(of: 5, in: pair) {
                    answer.values.append(value)
                }
            default: break
            }
        }
        return answer
    }

    private static func bytes(of number: UInt64, in message: ByteBuffer) throws(Protobuf.Failure) -> ByteBuffer? {
        var rest = message
        while let field = try Protobuf.next(from: &rest) {
            if field.number == number, case .bytes(let bytes) = field.value { return bytes }
        }
        return nil
    }

    private static func frame(of byteCount: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(self.frameHeadByteCount + byteCount)
        buffer.writeInteger(0 as UInt8)
        buffer.writeInteger(UInt32(byteCount))
        return buffer
    }

    private static func putByteCount(_ value: ByteBuffer) -> Int {
        Protobuf.byteCount(ofField: self.keyByteCount) + Protobuf.byteCount(ofField: value.readableBytes)
    }

    private static func writePut(_ key: UInt64, _ value: ByteBuffer, into buffer: inout ByteBuffer) {
        Protobuf.write(field: 1, byteCount: self.keyByteCount, into: &buffer)
        self.writeKey(key, into: &buffer)
        Protobuf.write(field: 2, byteCount: value.readableBytes, into: &buffer)
        buffer.writeImmutableBuffer(value)
    }

    /// As hexadecimal digits, so that keys sort by their numbers, as a log's would.
    private static func writeKey(_ key: UInt64, into buffer: inout ByteBuffer) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: key >> UInt64(shift)) & 0xF
            buffer.writeInteger(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
        }
    }
}
