import HTTP2Session
import LogModel
import Testing

@Suite struct HTTP2SessionTests {
    @Test(arguments: [1, 7, Int.max]) func `a request and its response cross however the bytes are cut`(cut: Int) throws
    {
        let pair = try SessionPair(cut: cut)
        try pair.begin()
        let stream = try pair.client.session.request(get + [HTTP2Field("x-a", "b")], endStream: true)
        try pair.settle()
        #expect(
            pair.server.takeEvents() == [.head(stream, get + [HTTP2Field("x-a", "b")]), .end(stream, trailers: [])])
        #expect(pair.server.session.respond(to: stream, ok, endStream: false))
        pair.server.send(Array("hello".utf8), on: stream, end: true)
        try pair.settle()
        #expect(
            pair.client.takeEvents() == [
                .head(stream, ok), .end(stream, trailers: []), .closed(stream, .noError, isUnprocessed: false),
            ])
        #expect(pair.client.received[stream] == Array("hello".utf8))
        #expect(pair.server.takeEvents() == [.closed(stream, .noError, isUnprocessed: false)])
        #expect(pair.client.session.openStreamCount == 0)
        #expect(pair.server.session.openStreamCount == 0)
    }

    @Test func `both directions stream at the same time`() throws {
        let pair = try SessionPair(cut: 1_000)
        try pair.begin()
        let stream = try pair.client.session.request(post, endStream: false)
        try pair.settle()
        #expect(pair.server.takeEvents() == [.head(stream, post)])
        pair.server.session.respond(to: stream, ok, endStream: false)
        for round in 0..<20 {
            pair.client.send(pattern(500 * round), on: stream)
            pair.server.send(pattern(300 * round), on: stream)
            try pair.settle()
        }
        #expect(pair.server.received[stream]?.count == 500 * 190)
        #expect(pair.client.received[stream]?.count == 300 * 190)
        pair.client.session.end(stream)
        try pair.settle()
        #expect(pair.server.takeEvents() == [.end(stream, trailers: [])])
        pair.server.session.end(stream)
        try pair.settle()
        #expect(pair.client.takeEvents().last == .closed(stream, .noError, isUnprocessed: false))
    }

    @Test func `trailers arrive with the end`() throws {
        let pair = try SessionPair()
        try pair.begin()
        let stream = try pair.client.session.request(get, endStream: true)
        try pair.settle()
        pair.server.session.respond(to: stream, ok, endStream: false)
        pair.server.send([1, 2, 3], on: stream)
        pair.server.session.end(stream, trailers: [HTTP2Field("checksum", "42")])
        try pair.settle()
        #expect(pair.client.received[stream] == [1, 2, 3])
        #expect(pair.client.takeEvents().contains(.end(stream, trailers: [HTTP2Field("checksum", "42")])))
    }

    @Test func `a large body goes in frames as large as the peer takes`() throws {
        var limits = HTTP2SessionLimits()
        limits.frameByteCountMax = 100_000
        let pair = try SessionPair(client: limits)
        try pair.begin()
        let stream = try pair.client.session.request(get, endStream: true)
        try pair.settle()
        pair.server.session.respond(to: stream, ok, endStream: false)
        let body = pattern(1_000_000)
        pair.server.send(body, on: stream, end: true)
        try pair.settle()
        #expect(pair.client.received[stream] == body)
        #expect(pair.server.largestFrame == 100_000)
    }

    @Test func `a receiver that consumes nothing stops the sender at its window`() throws {
        var limits = HTTP2SessionLimits()
        limits.streamWindowByteCount = 100_000
        limits.connectionWindowByteCount = 150_000
        let pair = try SessionPair(server: limits)
        pair.server.consumesAtOnce = false
        try pair.begin()
        let first = try pair.client.session.request(post, endStream: false)
        let second = try pair.client.session.request(post, endStream: false)
        pair.client.send(pattern(300_000), on: first, end: true)
        try pair.settle()
        #expect(pair.server.received[first]?.count == 100_000)
        pair.client.send(pattern(300_000), on: second, end: true)
        try pair.settle()
        #expect(pair.server.received[second]?.count == 50_000, "the connection's window bounds all streams together")
        pair.server.session.consume(first, byteCount: 100_000)
        try pair.settle()
        let total = [first, second].map { pair.server.received[$0, default: []].count }.reduce(0, +)
        #expect(total == 250_000)
        pair.server.consumesAtOnce = true
        pair.server.session.consume(first, byteCount: pair.server.received[first, default: []].count - 100_000)
        pair.server.session.consume(second, byteCount: pair.server.received[second, default: []].count)
        try pair.settle()
        #expect(pair.server.received[first] == pattern(300_000))
        #expect(pair.server.received[second] == pattern(300_000))
    }

    @Test func `credit of a closed stream goes back to the connection`() throws {
        var limits = HTTP2SessionLimits()
        limits.streamWindowByteCount = 65_535
        limits.connectionWindowByteCount = 65_535
        let pair = try SessionPair(server: limits)
        pair.server.consumesAtOnce = false
        try pair.begin()
        for _ in 0..<10 {
            let stream = try pair.client.session.request(post, endStream: false)
            pair.client.send(pattern(60_000), on: stream)
            try pair.settle()
            #expect(pair.server.received[stream]?.count == 60_000)
            pair.client.session.reset(stream, .cancel)
            try pair.settle()
            pair.server.session.consume(stream, byteCount: 60_000)
            try pair.settle()
        }
    }

    @Test func `drain stops at its bound and goes on later`() throws {
        let pair = try SessionPair()
        try pair.begin()
        let stream = try pair.client.session.request(post, endStream: false)
        pair.client.send(pattern(2_000_000), on: stream, end: true)
        let first = pair.client.output(byteCountMax: 10_000)
        #expect((10_000..<10_000 + (256 << 10) + 64).contains(first.count))
        try pair.server.receive(first)
        try pair.settle()
        #expect(pair.server.received[stream] == pattern(2_000_000))
    }

    @Test func `a reset reaches the other side and nothing more of the body does`() throws {
        let pair = try SessionPair()
        try pair.begin()
        let stream = try pair.client.session.request(post, endStream: false)
        try pair.settle()
        pair.client.send(pattern(1_000), on: stream)
        pair.client.session.reset(stream, .cancel)
        try pair.settle()
        #expect(pair.server.received[stream] == nil)
        #expect(pair.server.takeEvents().last == .closed(stream, .cancel, isUnprocessed: false))
        #expect(pair.client.takeEvents() == [.closed(stream, .cancel, isUnprocessed: false)])
        #expect(!pair.server.session.respond(to: stream, ok, endStream: true))
    }

    /// The connection was ended ten seconds later.
    @Test func `the head for a request that was given up is passed over, and nobody waits for more of it`() throws {
        let pair = try SessionPair()
        try pair.begin()
        let stream = try pair.client.session.request(post, endStream: false)
        try pair.settle()
        pair.client.session.reset(stream, .cancel)
        let reset = pair.client.output()
        pair.server.session.respond(to: stream, ok, endStream: true)
        try pair.client.receive(pair.server.output())
        #expect(pair.client.session.headersPendingSince == nil)
        try pair.server.receive(reset)
        try pair.settle()
        #expect(pair.client.session.failure == nil && pair.server.session.failure == nil)
    }

    @Test func `a response before the request's end stops the request without an error`() throws {
        let pair = try SessionPair()
        try pair.begin()
        let stream = try pair.client.session.request(post, endStream: false)
        try pair.settle()
        pair.server.session.respond(to: stream, [HTTP2Field(":status", "413")], endStream: true)
        try pair.settle()
        #expect(
            pair.client.takeEvents() == [
                .head(stream, [HTTP2Field(":status", "413")]), .end(stream, trailers: []),
                .closed(stream, .noError, isUnprocessed: false),
            ])
    }

    @Test func `a graceful shutdown serves what is open and refuses the rest unprocessed`() throws {
        let pair = try SessionPair()
        try pair.begin()
        let stream = try pair.client.session.request(get, endStream: true)
        try pair.settle()
        pair.server.session.announceShutdown()
        pair.server.session.ping(7)
        pair.server.session.refuseNewStreams(.noError)
        let late = try pair.client.session.request(get, endStream: true)
        try pair.settle()
        let events = pair.client.takeEvents()
        #expect(events.contains(.goAway(lastStream: stream, .noError, debug: "")))
        #expect(events.contains(.closed(late, .refusedStream, isUnprocessed: true)))
        #expect(pair.server.events.contains(.pong(7)))
        #expect(throws: HTTP2SessionError.closed) { try pair.client.session.request(get, endStream: true) }
        #expect(!pair.server.session.isFinished)
        pair.server.session.respond(to: stream, ok, endStream: true)
        try pair.settle()
        #expect(pair.client.takeEvents().last == .closed(stream, .noError, isUnprocessed: false))
        #expect(pair.server.session.isFinished)
    }

    @Test func `requests over the peer's limit wait inside the session`() throws {
        var limits = HTTP2SessionLimits()
        limits.maxConcurrentStreams = 2
        let pair = try SessionPair(server: limits)
        try pair.begin()
        let streams = try (0..<4).map { _ in try pair.client.session.request(get, endStream: true) }
        try pair.settle()
        #expect(pair.server.takeEvents().count == 4, "two heads, two ends")
        #expect(pair.client.session.isUnsent(streams[2]))
        #expect(!pair.client.session.isUnsent(streams[1]))
        #expect(pair.client.session.peerMaxConcurrentStreams == 2)
        pair.server.session.respond(to: streams[0], ok, endStream: true)
        try pair.settle()
        #expect(pair.server.takeEvents().contains(.head(streams[2], get)))
    }

    @Test func `a header list over the limit is dropped and told`() throws {
        var limits = HTTP2SessionLimits()
        limits.headerListByteCountMax = 1_000
        let pair = try SessionPair(server: limits)
        try pair.begin()
        let large = get + (0..<50).map { HTTP2Field("x-\($0)", String(repeating: "v", count: 100)) }
        let stream = try pair.client.session.request(large, endStream: true)
        try pair.settle()
        #expect(pair.server.takeEvents() == [.headTooLarge(stream), .end(stream, trailers: [])])
        let next = try pair.client.session.request(get, endStream: true)
        try pair.settle()
        #expect(pair.server.takeEvents() == [.head(next, get), .end(next, trailers: [])], "the table is in step")
    }

    @Test func `informational responses are passed over`() throws {
        let pair = try SessionPair()
        try pair.begin()
        let stream = try pair.client.session.request(get, endStream: true)
        let hello = pair.client.output()
        try pair.server.receive(hello)
        _ = pair.server.output()
        // HEADERS with END_HEADERS: a literal ":status: 103", then the final response, indexed 8 = ":status: 200".
        let early: [UInt8] = [0, 0, 5, 1, 4, 0, 0, 0, UInt8(stream), 0x08, 3] + Array("103".utf8)
        let final: [UInt8] = [0, 0, 1, 1, 5, 0, 0, 0, UInt8(stream), 0x88]
        try pair.client.receive(early + final)
        #expect(
            pair.client.takeEvents() == [
                .head(stream, ok), .end(stream, trailers: []), .closed(stream, .noError, isUnprocessed: false),
            ])
    }
}
