import NIOCore
import PeerProtocols
import Testing

struct NATSProtocolTests {
    private static func buffer(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private static func operations(_ text: String) throws -> [NATSProtocol.Operation] {
        var (input, operations) = (Self.buffer(text), [NATSProtocol.Operation]())
        while let operation = try NATSProtocol.next(from: &input) { operations.append(operation) }
        #expect(input.readableBytes == 0)
        return operations
    }

    @Test func `each operation of a server is told`() throws {
        let text = "INFO {\"a\":1}\r\n+OK\r\nPING\r\nPONG\r\n-ERR 'no'\r\nMSG a.b 7 2\r\nhi\r\nMSG a 1 r.1 0\r\n\r\n"
        #expect(
            try Self.operations(text) == [
                .info, .ok, .ping, .pong, .failed("-ERR 'no'"),
                .message(subject: Self.buffer("a.b"), sid: 7, headByteCount: 0, payload: Self.buffer("hi")),
                .message(subject: Self.buffer("a"), sid: 1, headByteCount: 0, payload: ByteBuffer()),
            ])
    }

    @Test func `headers are counted apart`() throws {
        #expect(
            try Self.operations("HMSG a 1 16 18\r\nNATS/1.0 503\r\n\r\nhi\r\n") == [
                .message(
                    subject: Self.buffer("a"), sid: 1, headByteCount: 16,
                    payload: Self.buffer("NATS/1.0 503\r\n\r\nhi"))
            ])
    }

    @Test func `each operation of a client is told`() throws {
        #expect(
            try Self.operations("CONNECT {}\r\nSUB in.* 3\r\nSUB in q 4\r\nPUB a 1\r\nx\r\nPUB a in.9 2\r\n\r\n\r\n")
                == [
                    .connect, .subscribe(subject: Self.buffer("in.*"), sid: 3),
                    .subscribe(subject: Self.buffer("in"), sid: 4),
                    .publish(subject: Self.buffer("a"), reply: nil, payload: Self.buffer("x")),
                    .publish(subject: Self.buffer("a"), reply: Self.buffer("in.9"), payload: Self.buffer("\r\n")),
                ])
    }

    @Test func `nothing is taken before all of it is there`() throws {
        let whole = Self.buffer("MSG a 1 in.9 5\r\nhello\r\n")
        for length in 0..<whole.readableBytes {
            var part = try #require(whole.getSlice(at: 0, length: length))
            #expect(try NATSProtocol.next(from: &part) == nil)
            #expect(part.readableBytes == length)
        }
    }

    @Test(arguments: [
        "HELLO\r\n", "MSG a\r\n", "MSG a 1 x\r\n", "MSG a 1 -2\r\n", "HMSG a 1 9 5\r\nhello\r\n", "PUB\r\n", "\r\n",
        "SUB a\r\n",
    ])
    func `what is no operation is refused`(text: String) {
        var input = Self.buffer(text)
        #expect(throws: NATSProtocol.Failure.self) { try NATSProtocol.next(from: &input) }
    }

    @Test func `a payload ends with a line's end`() {
        var input = Self.buffer("MSG a 1 2\r\nhixx")
        #expect(throws: NATSProtocol.Failure.notTerminated) { try NATSProtocol.next(from: &input) }
    }

    @Test func `neither a line nor a payload is taken without bounds`() {
        var line = ByteBuffer(repeating: UInt8(ascii: "x"), count: NATSProtocol.lineByteCountMax + 1)
        #expect(throws: NATSProtocol.Failure.tooLong(byteCount: NATSProtocol.lineByteCountMax + 1)) {
            try NATSProtocol.next(from: &line)
        }
        var payload = Self.buffer("MSG a 1 999999999\r\n")
        #expect(throws: NATSProtocol.Failure.tooLong(byteCount: 999_999_999)) {
            try NATSProtocol.next(from: &payload)
        }
    }
}
