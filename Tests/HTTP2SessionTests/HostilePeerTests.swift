import HTTP2Session
import LogModel
import Testing

/// Raw frames against a server session.
@Suite struct HostilePeerTests: RawPeer {
    /// A literal field that does not enter the table.
    private static func field(_ name: String, _ value: [UInt8]) -> [UInt8] {
        [0x00, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.count)] + value
    }

    private static let floods: [(HTTP2Flood, [UInt8])] = [
        (.ping, Self.frame(6, [0, 0, 0, 0, 0, 0, 0, 0])),
        (.settings, Self.frame(4)),
        (.emptyData, Self.frame(0, stream: 1)),
        (.priority, Self.frame(2, stream: 5, [0, 0, 0, 0, 16])),
        (.windowUpdate, Self.frame(8, [0, 0, 0, 1])),
        // 3 bytes, all of them padding, and the byte that says so.
        (.emptyData, Self.frame(0, flags: 8, stream: 1, [3, 0, 0, 0])),
        (.goAway, Self.frame(7, [0, 0, 0, 0, 0, 0, 0, 0])),
        (.unknownFrame, Self.frame(0xbe, [1, 2, 3])),
        // An answer to no PING.
        (.pong, Self.frame(6, flags: 1, [0, 0, 0, 0, 0, 0, 0, 0])),
    ]

    @Test(arguments: 0..<9) func `a flood ends with a GOAWAY that says so`(number: Int) throws {
        let (flood, frame) = Self.floods[number]
        let server = try self.server()
        try server.receive(Self.request(1, end: false))
        #expect(throws: HTTP2SessionError.flood(flood)) {
            for _ in 0..<100_000 {
                try server.receive(frame)
                _ = server.output()
            }
        }
        let goAway = Array(server.output().suffix(17))
        #expect(goAway.count == 17 && goAway[3] == 7 && goAway[16] == 11, "GOAWAY, ENHANCE_YOUR_CALM")
        #expect(server.session.isFinished)
        #expect(throws: HTTP2SessionError.flood(flood)) { try server.receive(frame) }
    }

    @Test func `rapid resets end the session`() throws {
        let server = try self.server()
        #expect(throws: HTTP2SessionError.flood(.reset)) {
            for number in 0..<UInt32(10_000) {
                try server.receive(Self.request(2 * number + 1) + Self.frame(3, stream: 2 * number + 1, [0, 0, 0, 8]))
                _ = server.output()
            }
        }
        #expect(server.session.openStreamCount <= 1)
    }

    /// HEADERS, and a frame that makes a server reset the stream (CVE-2025-8671).
    private static func provocation(_ number: Int, stream: UInt32) -> [UInt8] {
        let head: [UInt8] = [0x83, 0x86, 0x84, 0x01, 1, 0x6e]
        switch number {
        case 0:  // More body than the head says.
            return Self.frame(1, flags: 4, stream: stream, head + Self.field("content-length", [0x30]))
                + Self.frame(0, stream: stream, [1])
        case 1:  // Less.
            return Self.frame(1, flags: 4, stream: stream, head + Self.field("content-length", [0x39]))
                + Self.frame(0, flags: 1, stream: stream, [1])
        case 2:  // A window over 2^31 - 1.
            return Self.frame(1, flags: 4, stream: stream, head)
                + Self.frame(8, stream: stream, [0x7f, 0xff, 0xff, 0xff])
        case 3:  // Depends on itself.
            return Self.frame(1, flags: 4, stream: stream, head)
                + Self.frame(2, stream: stream, Array(Self.frame(0, stream: stream)[5...]) + [0])
        default:  // An upper-case name.
            return Self.frame(1, flags: 5, stream: stream, head + Self.field("X", [0x30]))
        }
    }

    @Test(arguments: 0..<5) func `resets that a peer provokes end the session as its own do`(number: Int) throws {
        let server = try self.server()
        var output: [UInt8] = []
        let error = #expect(throws: HTTP2SessionError.self) {
            for stream in 0..<UInt32(2_000) {
                try server.receive(Self.provocation(number, stream: 2 * stream + 1))
                output = server.output()
            }
            // nghttp2 itself ends the connection with the first: its output says so.
            if server.session.sentGoAway == .protocolError { throw HTTP2SessionError.closed }
        }
        if number != 3 { #expect(error == .flood(.reset)) }
        #expect(number == 3 || output.suffix(17)[output.endIndex - 1] == 11, "ENHANCE_YOUR_CALM")
        #expect(server.session.openStreamCount <= 1)
    }

    @Test func `resets that nobody reads are not gathered without end`() throws {
        var limits = HTTP2SessionLimits()
        // Streams that wait to be reset are open: behind so many of them, further ones are refused.
        limits.closedStreams = RateBudget(burst: 100_000, perSecond: 0)
        let server = try SessionEnd(.server, limits)
        try server.receive(Self.preface)
        #expect(throws: HTTP2SessionError.flood(.unread)) {
            for stream in 0..<UInt32(10_000) { try server.receive(Self.provocation(0, stream: 2 * stream + 1)) }
        }
    }

    @Test(arguments: [false, true]) func `CONTINUATION without end ends the session`(isEmpty: Bool) throws {
        let server = try self.server()
        try server.receive(Self.frame(1, stream: 1, [0x82]))
        #expect(throws: HTTP2SessionError.flood(.continuation)) {
            for _ in 0..<20 { try server.receive(Self.frame(9, stream: 1, isEmpty ? [] : [0x86])) }
        }
        #expect(server.output().suffix(1) == [11], "ENHANCE_YOUR_CALM")
    }

    @Test func `a header list that a byte makes 4 kilobytes longer is no more than looked at`() throws {
        let server = try self.server()
        // A large entry for the table, then references to it.
        let entry = [0x40, 1, 0x78, 0x7f, 0xa0, 0x1e] + [UInt8](repeating: 0x61, count: 3_999)
        let head: [UInt8] = [0x82, 0x86, 0x84, 0x01, 1, 0x6e]
        try server.receive(Self.frame(1, flags: 5, stream: 1, head + entry))
        #expect(server.takeEvents().count == 3, "settings, head, end: one large field is fine")
        #expect(throws: HTTP2SessionError.flood(.header)) {
            try server.receive(Self.frame(1, flags: 5, stream: 3, head + [UInt8](repeating: 0xbe, count: 10_000)))
        }
        #expect(server.takeEvents() == [])
    }

    @Test func `many header lists over the limit end the session`() throws {
        var limits = HTTP2SessionLimits()
        limits.headerListByteCountMax = 200
        let server = try SessionEnd(.server, limits)
        try server.receive(Self.preface)
        let head: [UInt8] = [0x82, 0x86, 0x84, 0x01, 1, 0x6e] + Self.field("x", [UInt8](repeating: 0x61, count: 100))
        #expect(throws: HTTP2SessionError.flood(.header)) {
            for number in 0..<UInt32(200) {
                try server.receive(Self.frame(1, flags: 5, stream: 2 * number + 1, head))
                server.session.respond(
                    to: HTTP2StreamID(2 * number + 1), [HTTP2Field(":status", "431")], endStream: true)
                _ = server.output()
            }
        }
    }

    @Test func `HEADERS of streams that are gone are passed over, but not without end`() throws {
        let server = try self.server()
        try server.receive(Self.request(5) + Self.frame(3, stream: 5, [0, 0, 0, 8]))
        _ = server.output()
        _ = server.takeEvents()
        #expect(throws: HTTP2SessionError.flood(.closedStream)) {
            for _ in 0..<10_000 { try server.receive(Self.request(3) + Self.request(5)) }
        }
        #expect(server.takeEvents() == [])
    }

    @Test func `only the answer to a PING that was sent is told, and once`() throws {
        let server = try self.server()
        server.session.ping(0x0102_0304_0506_0708)
        _ = server.output()
        _ = server.takeEvents()
        let answer = Self.frame(6, flags: 1, [1, 2, 3, 4, 5, 6, 7, 8])
        try server.receive(Self.frame(6, flags: 1, [8, 7, 6, 5, 4, 3, 2, 1]) + answer + answer)
        #expect(server.takeEvents() == [.pong(0x0102_0304_0506_0708)])
    }

    @Test(arguments: [0x0d, 0x0a, 0x00]) func `a field with a line break in its value reaches nobody`(byte: UInt8)
        throws
    {
        let server = try self.server()
        _ = server.takeEvents()
        let head: [UInt8] = [0x82, 0x86, 0x84, 0x01, 1, 0x6e]
        try server.receive(Self.frame(1, flags: 5, stream: 1, head + Self.field("x", [0x61, byte, 0x62])))
        let output = server.output()
        #expect(server.takeEvents() == [.closed(1, .protocolError, isUnprocessed: false)])
        #expect(output.suffix(13) == [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 1], "RST_STREAM, PROTOCOL_ERROR")
    }

    @Test func `the session knows whether its settings were acknowledged`() throws {
        let server = try self.server()
        #expect(!server.session.isAcknowledged)
        _ = server.output()
        try server.receive(Self.frame(4, flags: 1))
        #expect(server.session.isAcknowledged)
    }

    @Test func `a flood slower than the budget is no flood`() throws {
        let server = try self.server()
        for number in 0..<UInt64(2_000) {
            let now = MonotonicTime(nanoseconds: number * 60_000_000)
            try server.receive(Self.floods[0].1, now: now)
            _ = server.output()
        }
    }

    @Test func `what is not HTTP 2 is refused at its first bytes`() throws {
        let server = try SessionEnd(.server, HTTP2SessionLimits())
        #expect(throws: HTTP2SessionError.badPreface) { try server.receive(Array("GET / HTTP/1.1\r\n\r\n".utf8)) }
    }

    @Test(arguments: [
        // DATA on stream 0; HEADERS on an even stream; a frame larger than allowed; SETTINGS of 5 bytes; broken HPACK;
        // WINDOW_UPDATE of 0 on the connection; CONTINUATION out of nowhere; PUSH_PROMISE from a client.
        frame(0, stream: 0, [1]), request(2), [0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1], frame(4, [0, 0, 0, 0, 0]),
        frame(1, flags: 5, stream: 1, [0xff, 0xff, 0xff, 0xff, 0xff]), frame(8, [0, 0, 0, 0]),
        frame(9, flags: 4, stream: 1, [0x82]), frame(5, flags: 4, stream: 1, [0, 0, 0, 2, 0x82]),
    ]) func `a broken frame ends the session with a GOAWAY`(bytes: [UInt8]) throws {
        let server = try self.server()
        _ = server.output()
        try server.receive(bytes)
        let output = server.output()
        #expect(output.count >= 17 && output[3] == 7, "GOAWAY")
        #expect(server.session.isFinished)
    }

    @Test func `random bytes never get further than an error`() throws {
        var state: UInt64 = 1
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for _ in 0..<500 {
            let server = try self.server()
            let valid = Self.request(1, end: false) + Self.frame(0, flags: 1, stream: 1, pattern(100)) + Self.request(3)
            var bytes = valid
            for _ in 0...random() % 4 { bytes[Int(random()) % bytes.count] = UInt8(random() & 255) }
            try? server.receive(bytes, cutEvery: Int(random() % 40) + 1)
            _ = server.output()
        }
    }
}
