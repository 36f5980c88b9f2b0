import HTTPTypes
import HoldfastClient
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import HoldfastAdmin

/// Tells what came, and counts what its reader took.
private final class EchoDoor: ClientDoor {
    let parts: [String]
    let failure: AdminProblem?
    let passed = Mutex<[HTTPRequest]>([])
    let bodies = Mutex<[String]>([])
    let consumed = Mutex(0)

    init(parts: [String] = [], failure: AdminProblem? = nil) {
        self.parts = parts
        self.failure = failure
    }

    func pass(_ head: HTTPRequest, body: [ByteBuffer]) async throws(AdminProblem) -> DoorAnswer {
        self.passed.withLock { $0.append(head) }
        if let failure { throw failure }
        let body = body.map { String(buffer: $0) }.joined()
        self.bodies.withLock { $0.append(body) }
        let text = "\(head.method) \(head.path ?? "") \(body)"
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
        for part in [text] + self.parts { continuation.yield(ByteBuffer(string: part)) }
        continuation.finish()
        return DoorAnswer(
            head: HTTPResponse(status: .created, headerFields: [.holdfastServedBy: "1"]), body: stream
        ) { count in self.consumed.withLock { $0 += count } }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ClientMirrorTests {
    @Test func `a request is passed on as it is, and so is its answer`() async throws {
        let door = EchoDoor(parts: ["+more"])
        try await Listener.with(door: door) { listener in
            let text = try await listener.send(
                "POST /v1/records?expect=7 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIdempotency-Key: k\r\n"
                    + "Content-Length: 2\r\n\r\nhi")
            #expect(text.hasPrefix("HTTP/1.1 201 "))
            #expect(text.lowercased().contains("holdfast-served-by: 1"))
            #expect(text.contains("POST /v1/records?expect=7 hi"))
            #expect(text.contains("+more"))
            let head = try #require(door.passed.withLock { $0.first })
            #expect(head.headerFields[.idempotencyKey] == "k")
            #expect(head.headerFields[.connection] == nil)
            #expect(door.consumed.withLock { $0 } == "POST /v1/records?expect=7 hi+more".utf8.count)
        }
    }

    @Test(arguments: [
        ("GET", "/v1/records"), ("PUT", "/v1/cursors/billing"), ("DELETE", "/v1/cursors/billing"),
        ("GET", "/v1/cluster"), ("POST", "/admin/v1/transfer?to=2"), ("DELETE", "/admin/v1/members/3"),
        ("POST", "/admin/v1/members/3/promote"),
    ])
    func `every route of the client API is there`(method: String, path: String) async throws {
        try await Listener.with(door: EchoDoor()) { listener in
            let answer = try await listener.ask(method, path)
            #expect(answer.status == 201)
            #expect(answer.body.contains("\(method) \(path)"))
        }
    }

    @Test func `a request is taken on under its id, and one with a method that nothing takes is told so`() async throws
    {
        let door = EchoDoor()
        try await Listener.with(door: door) { listener in
            _ = try await listener.get("/v1/cluster", "X-Request-Id: mine.7")
            #expect(door.passed.withLock { $0.first?.headerFields[.xRequestID] } == "mine.7")
            let patch = try await listener.ask("PATCH", "/v1/records")
            #expect(patch.status == 405 && patch.fields["allow"] == "DELETE, GET, HEAD, POST, PUT")
            let get = try await listener.ask("GET", "/admin/v1/transfer")
            #expect(get.status == 405 && get.fields["allow"] == "POST")
        }
    }

    @Test func `a foreign page appends nothing`() async throws {
        let door = EchoDoor()
        try await Listener.with(door: door) { listener in
            let answer = try await listener.ask(
                "POST", "/v1/records", ["Origin: http://evil.example", "Content-Length: 0"])
            #expect(answer.status == 403)
            #expect(door.passed.withLock { $0.isEmpty })
        }
    }

    @Test func `what is not known of an append is said`() async throws {
        let lost = AdminProblem(.gatewayTimeout, "COMMIT_TIMEOUT", "lost", hint: "Again.", applied: .unknown)
        try await Listener.with(door: EchoDoor(failure: lost)) { listener in
            let answer = try await listener.ask("POST", "/v1/records", ["Content-Length: 0"])
            #expect(answer.status == 504)
            #expect(answer.json(ProblemDocument.self)?.applied == .unknown)
        }
    }

    private struct TokensOnly: AdminAuthority {
        func refusal(of head: HTTPRequest, at route: String?) -> AdminProblem? { nil }
        func refusal(ofMirrored head: HTTPRequest) -> AdminProblem? {
            head.headerFields[.authorization] == nil
                ? AdminProblem(.unauthorized, "UNAUTHENTICATED", "no token", hint: "Send one.") : nil
        }
    }

    @Test func `who may not append is told before any body is read`() async throws {
        let door = EchoDoor()
        try await Listener.with(authority: TokensOnly(), door: door) { listener in
            let text = try await listener.send(
                "POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\nbegun",
                until: { $0.contains("UNAUTHENTICATED") })
            #expect(text.hasPrefix("HTTP/1.1 401 "))
            #expect(door.passed.withLock { $0.isEmpty })
        }
    }

    @Test func `bodies that stop before their ends are held within a bound, and small ones still pass`() async throws {
        let door = EchoDoor()
        try await Listener.with(door: door) { listener in
            let begun = "POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n"
            let bytes = ByteBuffer(string: begun + String(repeating: "x", count: 7 << 20))
            // Five times 7 MiB are over 32.
            let refused = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<5 { group.addTask { try await listener.send(bytes, until: { $0.contains("BUSY") }) } }
                let first = try #require(try await group.next())
                group.cancelAll()
                return first
            }
            #expect(refused.hasPrefix("HTTP/1.1 429 ") && refused.lowercased().contains("retry-after: 1"))
            #expect(refused.contains(#""applied":"no""#))
            #expect(listener.count(.unfinishedBodies) >= 1)
            let small = try await listener.ask("POST", "/v1/records", ["Content-Length: 0"])
            #expect(small.status == 201)
        }
    }

    private static func upload(_ byteCount: Int, of announced: Int = 8 << 20) -> String {
        "POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(announced)\r\n\r\n"
            + String(repeating: "x", count: byteCount)
    }

    @Test func `whoever holds all the room and stands still gives way to whoever comes later`() async throws {
        let journal = MemoryLog(level: .warning)
        try await Listener.with(door: EchoDoor(), journal: journal) { listener in
            let bodies = listener.server.connections.bodies
            var peers: [RawPeer] = []
            for number in 1...2 {
                let peer = try await RawPeer(to: listener)
                peer.send(Self.upload(7 << 20))
                try await listener.wait { bodies.heldByteCount == number * 7 << 20 }
                peers.append(peer)
            }
            // 4 MiB more are over 16, until the first of the two has stood still for long enough.
            let upload = ByteBuffer(string: Self.upload(4 << 20, of: 4 << 20))
            var answer = ""
            var refusedCount: UInt64 = 0
            while !answer.hasPrefix("HTTP/1.1 201 ") {
                if !answer.isEmpty { refusedCount += 1 }
                answer = try await listener.send(upload) { $0.contains("\r\n\r\n") }
                #expect(answer.hasPrefix("HTTP/1.1 201 ") || answer.hasPrefix("HTTP/1.1 429 "), "\(answer)")
            }
            try await peers[0].ended()
            let refusal = try #require(Listener.Answer(peers[0].text))
            #expect(refusal.status == 429 && refusal.fields["connection"] == "close")
            #expect(refusal.json(ProblemDocument.self)?.applied == .no && refusal.body.contains("stood still"))
            #expect(peers[1].isOpen && peers[1].text.isEmpty, "the other one has its room still")
            #expect(
                listener.count(.unfinishedBodies) == refusedCount + 1,
                "the one that stood still, and those who were early")
            let told = try #require(journal.take().first)
            #expect(told.level == .warning && told.metadata["limit"] == "unfinished_bodies")
            #expect(told.metadata["peer"]?.hasPrefix("127.0.0.1:") == true && told.metadata["hint"] != nil)
            await peers[1].close()
            try await listener.wait { bodies.heldByteCount == 0 }
        }
    }

    @Test func `an upload that breaks off is no refusal, and one that is too large is one`() async throws {
        let door = EchoDoor()
        var bounds = ConnectionBounds()
        bounds.bodyMilliseconds = 200
        try await Listener.with(door: door, bounds: bounds) { listener in
            // By its client, which still reads; and cut off by the node.
            let broken = try await RawPeer(to: listener)
            broken.send(Self.upload(1_000))
            await broken.closeOutput()
            try await broken.ended()
            let answer = try #require(Listener.Answer(broken.text), "\(broken.text)")
            #expect(answer.status == 400 && answer.fields["connection"] == "close")
            #expect(answer.json(ProblemDocument.self)?.applied == .no && answer.body.contains("ended early"))
            let cut = try await RawPeer(to: listener)
            cut.send(Self.upload(1_000))
            try await cut.ended()
            #expect(listener.count(.bodyDeadline) == 1)
            while try await !listener.get("/metrics").body.contains(#"status="4xx"} 2"#) {}
            #expect(listener.node.refusals == [])
            let large = try await listener.send(Self.upload(0, of: 9 << 20), until: { $0.contains("TOO_LARGE") })
            #expect(large.hasPrefix("HTTP/1.1 413 ") && listener.node.refusals == ["TOO_LARGE"])
            #expect(door.passed.withLock { $0.isEmpty })
        }
    }

    @Test func `a large body comes through as it was sent, by length and in chunks`() async throws {
        let door = EchoDoor()
        try await Listener.with(door: door) { listener in
            let body = (0..<40_000).map { "\($0)," }.joined()
            let begun = "POST /v1/records HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            let whole = "\(begun)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            let chunked =
                "\(begun)Transfer-Encoding: chunked\r\n\r\n\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
            for text in [whole, chunked] {
                let answer = try await listener.send(text)
                #expect(answer.hasPrefix("HTTP/1.1 201 "), "\(answer)")
            }
            #expect(door.bodies.withLock { $0 } == [body, body])
        }
    }
}
