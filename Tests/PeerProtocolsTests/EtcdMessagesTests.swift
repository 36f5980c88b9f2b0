import NIOCore
import PeerProtocols
import Testing

struct EtcdMessagesTests {
    private static func hex(_ buffer: ByteBuffer) -> String {
        buffer.readableBytesView.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    private static func bytes(_ text: String) -> ByteBuffer {
        let digits = text.filter { $0 != " " }.map { UInt8($0.hexDigitValue ?? 0) }
        return ByteBuffer(bytes: stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }

    private static let key = "30303030303030303030303030303031"

    @Test func `a put is what etcd's protoc makes of it`() {
        let put = EtcdMessages.put(key: 1, value: ByteBuffer(string: "hi"))
        #expect(Self.hex(put) == "0000000016" + "0a10" + Self.key + "12026869")
    }

    @Test func `a transaction holds its puts as operations, with keys that follow each other`() {
        let values = ["hi", "yo"].map { ByteBuffer(string: $0) }
        let transaction = EtcdMessages.puts(firstKey: 0xFF, values: values[...])
        let first = "1218" + "1216" + "0a10" + "30303030303030303030303030306666" + "12026869"
        let second = "1218" + "1216" + "0a10" + "30303030303030303030303030313030" + "1202796f"
        #expect(Self.hex(transaction) == "0000000034" + first + second)
    }

    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, UInt64.max])
    func `a varint takes the bytes that are counted for it`(value: UInt64) {
        var buffer = ByteBuffer()
        Protobuf.write(varint: value, into: &buffer)
        #expect(buffer.readableBytes == Protobuf.byteCount(ofVarint: value))
    }

    @Test(arguments: [0, 1, 127, 128, 300, UInt64.max])
    func `a varint is read back`(value: UInt64) throws {
        var buffer = ByteBuffer()
        Protobuf.write(field: 7, varint: value, into: &buffer)
        let field = try #require(try Protobuf.next(from: &buffer))
        #expect(field.number == 7)
        #expect(field.value == .varint(value))
        #expect(try Protobuf.next(from: &buffer) == nil)
    }

    @Test func `values of more than a hundred bytes have longer lengths`() throws {
        let value = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1_000)
        var put = EtcdMessages.put(key: 2, value: value)
        var message = try #require(EtcdMessages.nextMessage(from: &put))
        #expect(put.readableBytes == 0)
        #expect(try Protobuf.next(from: &message)?.number == 1)
        #expect(try Protobuf.next(from: &message)?.value == .bytes(value))
    }

    /// `WatchResponse { header, watch_id = 1, created }`, and one with two events, fixed fields and an unknown one.
    @Test func `a watch tells that it stands, and the values of its events`() throws {
        let created = try EtcdMessages.watchAnswer(Self.bytes("0a02 0801 1001 1801"))
        #expect(created == EtcdMessages.WatchAnswer(isCreated: true))
        let event = "5a0a 0801 1206 0a01 6b 2a01"
        let events = try EtcdMessages.watchAnswer(
            Self.bytes("0a02 0801 \(event)61 \(event)62 7d01020304 7901020304050607 08"))
        #expect(events.values.map { String(buffer: $0) } == ["a", "b"])
        #expect(try EtcdMessages.watchAnswer(Self.bytes("2001")).isCancelled)
    }

    @Test func `a message that ends within a field is refused at every length`() throws {
        let whole = Self.bytes("5a0a 0801 1206 0a01 6b 2a01 61")
        for length in 1..<whole.readableBytes {
            let part = try #require(whole.getSlice(at: 0, length: length))
            #expect(throws: Protobuf.Failure.truncated, "\(length) bytes") { try EtcdMessages.watchAnswer(part) }
        }
    }

    @Test func `a group is no field of proto3`() {
        #expect(throws: Protobuf.Failure.unknownWireType(3)) { try EtcdMessages.watchAnswer(Self.bytes("0b")) }
    }

    @Test func `a message is taken once all of it is there`() throws {
        let frame = EtcdMessages.watchAll()
        for length in 0..<frame.readableBytes {
            var part = try #require(frame.getSlice(at: 0, length: length))
            #expect(EtcdMessages.nextMessage(from: &part) == nil)
            #expect(part.readableBytes == length)
        }
        var both = frame
        both.writeImmutableBuffer(frame)
        #expect(EtcdMessages.nextMessage(from: &both) == EtcdMessages.nextMessage(from: &both))
        #expect(both.readableBytes == 0)
    }
}
