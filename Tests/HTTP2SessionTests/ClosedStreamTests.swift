import HTTP2Session
import LogModel
import Testing

/// What comes for streams that are gone: a little of it is nobody's fault.
@Suite struct ClosedStreamTests: RawPeer {
    private static let refusal = [HTTP2Field(":status", "413")]

    /// Stream 1 is open and stays so; the peer has reset stream 3.
    private func serverWithClosedStream() throws -> SessionEnd {
        let server = try self.server()
        try server.receive(
            Self.request(1, end: false) + Self.request(3, end: false) + Self.frame(3, stream: 3, [0, 0, 0, 8]))
        _ = server.output()
        return server
    }

    /// How many of the same frames are taken before the session says that it is a flood, of which kind it must be.
    private func countTaken(_ frame: [UInt8], by server: SessionEnd, most: Int = 100_000) throws -> Int {
        var count = 0
        #expect(throws: HTTP2SessionError.flood(.closedStream)) {
            while count < most {
                try server.receive(frame)
                _ = server.output()
                count += 1
            }
        }
        let goAway = Array(server.output().suffix(17))
        #expect(goAway.count == 17 && goAway[3] == 7 && goAway[16] == 11, "GOAWAY, ENHANCE_YOUR_CALM")
        #expect(server.session.isFinished)
        return count
    }

    @Test(arguments: [
        // Empty; the end; padding only; with bytes; as many as a frame takes by default.
        frame(0, stream: 3), frame(0, flags: 1, stream: 3), frame(0, flags: 8, stream: 3, [3, 0, 0, 0]),
        frame(0, stream: 3, [1]), frame(0, stream: 3, [UInt8](repeating: 7, count: 16_384)),
    ]) func `DATA of a stream that its own peer has reset is a flood at once`(frame: [UInt8]) throws {
        #expect(try self.countTaken(frame, by: self.serverWithClosedStream()) == 1_000)
    }

    @Test func `DATA of a stream that was refused counts, too`() throws {
        let server = try self.server()
        try server.receive(Self.frame(4, flags: 1))
        // More streams than are allowed would end the connection; one behind our GOAWAY is just not taken.
        try server.receive(Self.request(1, end: false))
        server.session.refuseNewStreams(.noError)
        _ = server.output()
        try server.receive(Self.request(3, end: false))
        #expect(try self.countTaken(Self.frame(0, stream: 3), by: server) == 1_000)
    }

    @Test func `HEADERS behind our GOAWAY are a flood, be it of new streams`() throws {
        let server = try self.server()
        try server.receive(Self.request(1, end: false))
        server.session.refuseNewStreams(.noError)
        _ = server.output()
        _ = server.takeEvents()
        var number: UInt32 = 1
        #expect(throws: HTTP2SessionError.flood(.closedStream)) {
            while number < 10_000 {
                number += 2
                try server.receive(Self.request(number))
            }
        }
        #expect(server.takeEvents() == [])
    }

    @Test func `what comes while our reset waits to be sent counts, too`() throws {
        let server = try self.server()
        try server.receive(Self.request(1, end: false) + Self.request(3, end: false))
        server.session.reset(3, .cancel)
        let frames = [[UInt8]](repeating: Self.frame(0, stream: 3), count: 1_000).flatMap { $0 }
        #expect(throws: HTTP2SessionError.flood(.closedStream)) {
            for _ in 0..<1_000 { try server.receive(frames) }
        }
    }

    /// A client may have taken our SETTINGS, and have said so behind what we have seen.
    @Test(arguments: [(16_384, 1_024), (100, 10_000)], [true, false])
    func `what was on its way when its stream was refused is no flood`(
        sent: (byteCount: Int, frames: Int), isAcknowledged: Bool
    ) throws {
        let (byteCount, frames) = sent
        let server = try self.server()
        _ = server.output()
        if isAcknowledged { try server.receive(Self.frame(4, flags: 1)) }
        try server.receive(Self.request(1, end: false) + Self.request(3, end: false))
        // An answer to the head alone, and nothing said of the body.
        server.session.respond(to: 3, Self.refusal, endStream: true)
        _ = server.output()
        if !isAcknowledged { try server.receive(Self.frame(4, flags: 1)) }
        let body = Self.frame(0, stream: 3, pattern(byteCount))
        for _ in 0..<frames { try server.receive(body) }
        try server.receive(Self.frame(0, flags: 1, stream: 3))
        // More than a window is no upload.
        let rest = try self.countTaken(Self.frame(0, stream: 3, [1]), by: server, most: 1_000_000)
        let least = FrameTally.dataByteCountMin
        let window = Int(HTTP2SessionLimits().streamWindowByteCount)
        #expect((rest - 1_000) * least + frames * max(least, byteCount) <= window + least)
    }

    @Test func `empty DATA was in no window, and is a flood behind a refusal, too`() throws {
        let server = try self.server()
        try server.receive(Self.frame(4, flags: 1) + Self.request(1, end: false) + Self.request(3, end: false))
        server.session.respond(to: 3, Self.refusal, endStream: true)
        _ = server.output()
        #expect(try self.countTaken(Self.frame(0, stream: 3), by: server) == 1_000)
    }

    @Test func `a stream that nghttp2 resets is one that was given up: what was on its way is no flood`() throws {
        let server = try self.server()
        try server.receive(Self.frame(4, flags: 1) + Self.request(1, end: false))
        // A field's name in capitals.
        let malformed: [UInt8] = [0x82, 0x86, 0x84, 0x01, 1, 0x6e, 0x00, 1, 0x41, 1, 0x62]
        try server.receive(Self.frame(1, flags: 4, stream: 3, malformed))
        #expect(server.output().count >= 13, "RST_STREAM")
        for _ in 0..<5_000 { try server.receive(Self.frame(0, stream: 3, pattern(100))) }
        #expect(!server.session.isFinished)
    }

    @Test func `refused uploads take nothing of the connection's window`() throws {
        var pair = try SessionPair()
        pair.cut = 64 * 1024
        try pair.begin()
        let body = pattern(4 << 20)
        // Twice as much as the window.
        for _ in 0..<32 {
            let stream = try pair.client.session.request(post, endStream: false)
            pair.client.send(body, on: stream, end: true)
            let up = pair.client.output()
            #expect(up.count > body.count, "the client may send all of it")
            try pair.server.receive(Array(up.prefix(100)))
            pair.server.session.respond(to: stream, Self.refusal, endStream: true)
            let down = pair.server.output()
            try pair.server.receive(Array(up.dropFirst(100)), cutEvery: pair.cut)
            try pair.client.receive(down)
            try pair.settle()
        }
        let last = try pair.client.session.request(post, endStream: false)
        pair.client.send(body, on: last, end: true)
        try pair.settle()
        #expect(pair.server.received[last] == body)
    }

    @Test func `what nghttp2 has ended is called a violation, whatever comes behind`() throws {
        let server = try self.server()
        // DATA on stream 0, and much that is not looked at any more.
        let pings = (0..<10_000).flatMap { _ in Self.frame(6, [0, 0, 0, 0, 0, 0, 0, 0]) }
        let error = #expect(throws: HTTP2SessionError.self) {
            try server.receive(Self.frame(0, stream: 0, [1]) + pings)
        }
        guard case .violation = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        _ = server.output()
        #expect(server.session.sentGoAway == .protocolError)
    }

    /// Of every type that a client may send, with all that may stand before what it says.
    private static func goodFrames(inPieces hasContinuation: Bool) -> [UInt8] {
        frame(1, flags: 0x0c, stream: 1, [2, 0x82, 0x86, 0x84, 0x01, 1, 0x6e, 0, 0])
            + frame(
                1, flags: hasContinuation ? 0x20 : 0x24, stream: 3, [0, 0, 0, 0, 16, 0x82, 0x86, 0x84, 0x01, 1, 0x6e])
            + (hasContinuation ? frame(9, stream: 3) + frame(9, flags: 4, stream: 3, [0x00, 1, 0x61, 1, 0x62]) : [])
            + frame(0, flags: 8, stream: 1, [1, 0x61, 0])
            + frame(0, stream: 3) + frame(0, stream: 3, pattern(300)) + frame(2, stream: 3, [0, 0, 0, 0, 16])
            + frame(4, [0, 4, 0, 1, 0, 0]) + frame(6, pattern(8)) + frame(6, flags: 1, pattern(8))
            + frame(0xbe, [1, 2])
            + frame(8, [0, 0, 0, 1]) + frame(8, stream: 3, [0, 0, 0, 1]) + frame(0, flags: 1, stream: 1)
            + frame(1, flags: 5, stream: 3, [0x00, 1, 0x61, 1, 0x62]) + frame(3, stream: 1, [0, 0, 0, 8])
    }

    @Test(arguments: 1...20) func `what is told of is not counted, wherever the input is cut`(cut: Int) throws {
        var limits = HTTP2SessionLimits()
        limits.closedStreams = RateBudget(burst: 1, perSecond: 0)
        let server = try SessionEnd(.server, limits)
        // nghttp2 counts CONTINUATION again for each piece of its head, and takes 8.
        try server.receive(Self.preface + Self.goodFrames(inPieces: cut > 2), cutEvery: cut)
        #expect(server.received[3] == pattern(300))
        let untold = Self.frame(0, stream: 1)
        try server.receive(untold, cutEvery: cut)
        #expect(throws: HTTP2SessionError.flood(.closedStream)) { try server.receive(untold, cutEvery: cut) }
    }

    @Test func `no more can be on its way than the connection's window`() {
        var budget = ClosedStreamBudget(
            rate: RateBudget(burst: 1, perSecond: 0), inFlightByteCountMax: 4 * FrameTally.dataByteCountMin)
        for _ in 0..<10 { budget.grant(byteCount: .max) }
        budget.grant(byteCount: -1)
        var frame = FrameTally()
        frame.add(type: 0, payloadByteCount: 1)
        let taken = (0..<6).map { _ in budget.spend(frame, now: .zero) }
        #expect(taken == [true, true, true, true, true, false], "four of the smallest, and one by the rate")
    }
}
