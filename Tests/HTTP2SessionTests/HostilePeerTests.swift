import HTTP2Session
import LogModel
import Testing

/// Raw frames against a server session.
@Suite struct HostilePeerTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4)

    private static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let count = payload.count
        let id = (0..<4).map { UInt8(truncatingIfNeeded: stream >> (24 - 8 * $0)) }
        return [UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags] + id + payload
    }

    /// `:method: GET`, `:scheme: http`, `:path: /` from the static table, `:authority: n`.
    private static func request(_ stream: UInt32, end: Bool = true) -> [UInt8] {
        Self.frame(1, flags: end ? 5 : 4, stream: stream, [0x82, 0x86, 0x84, 0x01, 1, 0x6e])
    }

    private func server() throws -> SessionEnd {
        let end = try SessionEnd(.server, HTTP2SessionLimits())
        try end.receive(Self.preface)
        return end
    }

    private static let floods: [(HTTP2Flood, [UInt8])] = [
        (.ping, Self.frame(6, [0, 0, 0, 0, 0, 0, 0, 0])),
        (.settings, Self.frame(4)),
        (.emptyData, Self.frame(0, stream: 1)),
        (.priority, Self.frame(2, stream: 5, [0, 0, 0, 0, 16])),
        (.windowUpdate, Self.frame(8, [0, 0, 0, 1])),
    ]

    @Test(arguments: 0..<5) func `a flood ends with a GOAWAY that says so`(number: Int) throws {
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
