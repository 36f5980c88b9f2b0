import Testing

@testable import HoldfastAdmin

/// Raw sockets against a listener one of whose bounds is tight.
@Suite(.timeLimit(.minutes(1))) struct ConnectionBoundsTests {
    private static let head = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Only one deadline is short, so that a busy machine cannot trip another.
    private static func bounds(_ deadline: WritableKeyPath<ConnectionBounds, UInt64>) -> ConnectionBounds {
        var bounds = ConnectionBounds()
        for other in [
            \ConnectionBounds.headMilliseconds, \.bodyMilliseconds, \.idleMilliseconds, \.unreadMilliseconds,
        ] { bounds[keyPath: other] = 600_000 }
        bounds[keyPath: deadline] = 80
        return bounds
    }

    @Test func `nothing, part of a head and a head in drops end a connection`() async throws {
        try await Listener.with(bounds: Self.bounds(\.headMilliseconds)) { listener in
            let peers = [
                try await RawPeer(to: listener), try await RawPeer(to: listener), try await RawPeer(to: listener),
            ]
            peers[1].send("GET /livez HTT")
            peers[2].send("GET /livez HTTP/1.1\r\nX: ")
            peers[2].drip("x")
            for peer in peers { try await peer.ended() }
            #expect(peers.allSatisfy { $0.text.isEmpty })
            #expect(listener.count(.headersDeadline) == 3)
            try await listener.wait { listener.connectionCount == 0 }
        }
    }

    @Test func `a body that stops, or comes in drops, ends a connection`() async throws {
        try await Listener.with(bounds: Self.bounds(\.bodyMilliseconds)) { listener in
            let head = "POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
            let (stopping, dripping) = (try await RawPeer(to: listener), try await RawPeer(to: listener))
            stopping.send(head + "x")
            dripping.send(head)
            dripping.drip("x")
            try await stopping.ended()
            try await dripping.ended()
            #expect(listener.count(.bodyDeadline) == 2)
        }
    }

    @Test func `an idle connection ends, also one whose next head comes in drops, and is no breach`() async throws {
        try await Listener.with(bounds: Self.bounds(\.idleMilliseconds)) { listener in
            let (idle, dripping) = (try await RawPeer(to: listener), try await RawPeer(to: listener))
            idle.send(Self.head)
            dripping.send(Self.head + "GET /livez HTTP/1.1\r\nX: ")
            dripping.drip("x")
            try await idle.ended()
            try await dripping.ended()
            for peer in [idle, dripping] { #expect(peer.text.hasPrefix("HTTP/1.1 200 ")) }
            #expect(ConnectionBreach.allCases.allSatisfy { listener.count($0) == 0 })
        }
    }

    @Test func `an answer that nobody reads ends its connection, and others are served`() async throws {
        try await Listener.with(bounds: Self.bounds(\.unreadMilliseconds)) { listener in
            let peer = try await RawPeer(to: listener, reads: false)
            peer.send(String(repeating: "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 20))
            #expect(try await listener.get("/livez").status == 200)
            try await listener.wait { listener.count(.unreadDeadline) == 1 && listener.connectionCount == 0 }
            await peer.close()
        }
    }

    @Test func `a stream goes on for as long as it is read, and no longer`() async throws {
        try await Listener.with(bounds: Self.bounds(\.unreadMilliseconds)) { listener in
            let stream = "GET /admin/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let (read, unread) = (try await RawPeer(to: listener), try await RawPeer(to: listener, reads: false))
            read.send(stream)
            unread.send(stream)
            // Its events are small: they would fill the kernel's buffers only after minutes.
            try await listener.wait { listener.count(.unreadDeadline) == 1 && listener.connectionCount == 1 }
            let events = read.text.count
            try await listener.wait { read.text.count > events }
            #expect(read.isOpen)
            await read.close()
            await unread.close()
        }
    }

    @Test(arguments: [false, true])
    func `connections over the limit are closed at once, and those within it are served`(
        ofOneAddress: Bool
    ) async throws {
        var bounds = ConnectionBounds()
        if ofOneAddress { bounds.connectionsPerAddressMax = 2 } else { bounds.connectionsMax = 2 }
        let breach: ConnectionBreach = ofOneAddress ? .connectionsPerAddress : .connections
        try await Listener.with(bounds: bounds) { listener in
            let within = [try await RawPeer(to: listener), try await RawPeer(to: listener)]
            try await listener.wait { listener.connectionCount == 2 }
            let over = try await RawPeer(to: listener)
            over.send(Self.head)
            try await over.ended()
            #expect(over.text.isEmpty && listener.count(breach) == 1)
            within[0].send(Self.head)
            try await listener.wait { within[0].text.hasPrefix("HTTP/1.1 200 ") }
            // Whoever goes makes room.
            await within[1].close()
            try await listener.wait { listener.connectionCount == 1 }
            #expect(try await listener.get("/livez").status == 200)
            await within[0].close()
        }
    }

    @Test(arguments: [(1, 64 << 10), (256, 64 << 10), (1_024, 16 << 10), (4_096, 4 << 10)])
    func `more connections have less each of what all share, and a network has what one address may have`(
        count: Int, share: Int
    ) {
        var bounds = ConnectionBounds()
        bounds.connectionsMax = count
        bounds.connectionsPerAddressMax = count
        #expect(bounds.share(of: 16 << 20) == share && bounds.connectionsPerNetworkMax == count)
        #expect(bounds.share(of: 16 << 20) * count <= 16 << 20)
    }

    @Test func `metrics tell of the listener's connections and of each bound, before the first breach`() async throws {
        try await Listener.with { listener in
            let text = try await listener.get("/metrics").body
            #expect(text.contains("holdfast_connections{listener=\"admin\"} 1\n"))
            for breach in ConnectionBreach.allCases {
                #expect(text.contains("holdfast_breaches_total{listener=\"admin\",limit=\"\(breach.rawValue)\"} 0\n"))
            }
        }
    }
}

@Suite struct TakingWatchTests {
    @Test func `whoever takes nothing of a stream that goes on makes no progress`() {
        var watch = TakingWatch(progressByteCountMin: 1_000)
        for now in UInt64(1)...100 {
            watch.written += 5_000
            #expect(watch.looked(untakenByteCount: watch.written, now: now) == 1)
        }
    }

    @Test func `enough, or all that there was, is progress; a byte now and then is none`() {
        var watch = TakingWatch(progressByteCountMin: 1_000)
        watch.written = 500_000
        #expect(watch.looked(untakenByteCount: 500_000, now: 1) == 1)
        for step in 1..<1_000 { #expect(watch.looked(untakenByteCount: 500_000 - step, now: 7) == 1) }
        #expect(watch.looked(untakenByteCount: 499_000, now: 9) == 9)
        // A stream of small events has a new one on its way whenever somebody looks.
        var small = TakingWatch(progressByteCountMin: 1_000)
        for now in UInt64(1)...100 {
            small.written += 50
            #expect(small.looked(untakenByteCount: 50, now: now) == now)
        }
    }

    @Test func `nothing to take is no wait, however long`() {
        var watch = TakingWatch(progressByteCountMin: 1_000)
        watch.written = 10
        #expect(watch.looked(untakenByteCount: 10, now: 1) == 1)
        #expect(watch.looked(untakenByteCount: 0, now: 50) == 50)
        watch.written = 20
        #expect(watch.looked(untakenByteCount: 10, now: 90) == 90)
    }
}
