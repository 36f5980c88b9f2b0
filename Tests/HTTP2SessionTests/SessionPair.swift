import HTTP2Session
import LogModel

/// One end of a pair: a session, and the body bytes its user would hold.
final class SessionEnd {
    let session: HTTP2Session
    var bodies: [HTTP2StreamID: [UInt8]] = [:]
    var events: [HTTP2Event] = []
    /// Received body bytes per stream, resolved from the ranges.
    var received: [HTTP2StreamID: [UInt8]] = [:]
    var consumesAtOnce = true
    var largestFrame = 0

    init(_ role: HTTP2Session.Role, _ limits: HTTP2SessionLimits) throws {
        self.session = try HTTP2Session(role: role, limits: limits)
    }

    func send(_ bytes: [UInt8], on stream: HTTP2StreamID, end: Bool = false) {
        self.bodies[stream, default: []] += bytes
        self.session.send(bodyOf: stream, byteCount: bytes.count)
        if end { self.session.end(stream) }
    }

    /// All that is ready to be sent, up to about `byteCountMax`.
    func output(byteCountMax: Int = .max) -> [UInt8] {
        _ = self.session.drain(byteCountMax: byteCountMax)
        var bytes: [UInt8] = []
        for piece in self.session.output.pieces {
            switch piece {
            case .bytes(let range): bytes += self.session.output.bytes[range]
            case .body(let stream, let count):
                self.largestFrame = max(self.largestFrame, count)
                bytes += self.bodies[stream, default: []].prefix(count)
                self.bodies[stream]?.removeFirst(count)
            }
        }
        self.session.discardOutput()
        self.gather([])
        return bytes
    }

    func receive(_ bytes: [UInt8], cutEvery cut: Int = .max, now: MonotonicTime = .zero) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let input = Array(rest.prefix(cut))
            rest = rest.dropFirst(cut)
            defer { self.gather(input) }
            try input.withUnsafeBytes { try self.session.receive($0, now: now) }
        }
    }

    private func gather(_ input: [UInt8]) {
        var events: [HTTP2Event] = []
        self.session.takeEvents(into: &events)
        for event in events {
            guard case .body(let stream, let range) = event else {
                self.events.append(event)
                continue
            }
            self.received[stream, default: []] += input[range]
            if self.consumesAtOnce { self.session.consume(stream, byteCount: range.count) }
        }
    }

    func takeEvents() -> [HTTP2Event] {
        defer { self.events = [] }
        return self.events
    }
}

/// A client and a server wired by byte arrays.
struct SessionPair {
    let client: SessionEnd
    let server: SessionEnd
    /// Every how many bytes the wire cuts.
    var cut = Int.max

    init(client: HTTP2SessionLimits = .init(), server: HTTP2SessionLimits = .init(), cut: Int = .max) throws {
        self.client = try SessionEnd(.client, client)
        self.server = try SessionEnd(.server, server)
        self.cut = cut
    }

    /// Carries bytes both ways until nobody has any.
    func settle() throws {
        while true {
            let (up, down) = (self.client.output(), self.server.output())
            if up.isEmpty && down.isEmpty { return }
            try self.server.receive(up, cutEvery: self.cut)
            try self.client.receive(down, cutEvery: self.cut)
        }
    }

    /// Settles the settings and drops the events.
    func begin() throws {
        try self.settle()
        _ = self.client.takeEvents()
        _ = self.server.takeEvents()
    }
}

let get = [
    HTTP2Field(":method", "GET"), HTTP2Field(":scheme", "http"), HTTP2Field(":authority", "n1"),
    HTTP2Field(":path", "/v1/records"),
]
let post = [
    HTTP2Field(":method", "POST"), HTTP2Field(":scheme", "http"), HTTP2Field(":authority", "n1"),
    HTTP2Field(":path", "/v1/records"),
]
let ok = [HTTP2Field(":status", "200")]

func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }
