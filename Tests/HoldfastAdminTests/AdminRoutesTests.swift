import Foundation
import HoldfastClient
import NIOCore
import Testing

@testable import HoldfastAdmin

@Suite struct AdminRoutesTests {
    @Test func `status, members, segments and events are documents that nobody may cache`() async throws {
        try await Listener.with { listener in
            listener.node.happened("leads in term 3")
            let status = try await listener.get("/admin/v1/status")
            #expect(status.fields["cache-control"] == "no-store")
            #expect(status.json(NodeStatus.self)?.cluster.term == 3)
            #expect(try await listener.get("/admin/v1/members").json(ClusterStatus.self)?.node == 1)
            let segments = try await listener.get("/admin/v1/segments").json(SegmentMap.self)
            #expect(segments?.segments.map(\.terms) == [[0, 3]])
            let events = try await listener.get("/admin/v1/events").json(EventList.self)
            #expect(events?.last == 1)
            #expect(events?.events.map(\.text) == ["leads in term 3"])
            #expect(try await listener.get("/admin/v1/events?after=1").json(EventList.self)?.events.isEmpty == true)
            #expect(try await listener.get("/admin/v1/events?after=x").status == 400)
        }
    }

    @Test func `what is not there is a problem that says where to look`() async throws {
        try await Listener.with { listener in
            let answer = try await listener.get("/admin/v2/status")
            #expect(answer.status == 404)
            #expect(answer.fields["content-type"] == "application/problem+json")
            #expect(answer.json(ProblemDocument.self)?.hint.contains("/openapi.json") == true)
        }
    }

    @Test func `a method is refused where there is a path for it, and told which ones are taken`() async throws {
        try await Listener.with { listener in
            let answer = try await listener.ask("DELETE", "/admin/v1/status")
            #expect(answer.status == 405 && answer.fields["allow"] == "GET, HEAD")
            let parameter = try await listener.ask("POST", "/readyz/leader")
            #expect(parameter.status == 405 && parameter.fields["allow"] == "GET, HEAD")
            for path in ["/admin/v1/nothing", "/readyz/leader/more", "/v2/records"] {
                #expect(try await listener.ask("POST", path).status == 404, "\(path)")
                #expect(try await listener.ask("PATCH", path).status == 404, "\(path)")
            }
        }
    }

    @Test func `every answer has the id of its request, the caller's or a drawn one`() async throws {
        try await Listener.with { listener in
            #expect(try await listener.get("/livez", "X-Request-Id: mine.7").fields["x-request-id"] == "mine.7")
            for (path, host) in [("/nothing", "localhost"), ("/livez", "evil.example")] {
                let answer = try await listener.get(path, host: host, "X-Request-Id: mine.7")
                #expect(answer.status >= 400 && answer.fields["x-request-id"] == "mine.7", "\(path)")
                #expect(answer.json(ProblemDocument.self)?.requestID == "mine.7", "\(path)")
            }
            let drawn = try await listener.get("/nothing", "X-Request-Id: not \u{22}good\u{22}")
            let id = try #require(drawn.fields["x-request-id"])
            #expect(id.count == 16 && drawn.json(ProblemDocument.self)?.requestID == id)
        }
    }

    @Test func `the page at the root is part of the program, and names every route`() async throws {
        try await Listener.with { listener in
            let page = try await listener.get("/")
            #expect(page.fields["content-type"] == "text/html; charset=utf-8")
            let document = try #require(
                JSONSerialization.jsonObject(with: Data(AdminDescription.bytes)) as? [String: Any])
            let paths = try #require(document["paths"] as? [String: Any])
            for path in paths.keys where !path.contains("{") { #expect(page.body.contains(path), "\(path)") }
        }
    }

    @Test func `the description names the routes that there are`() async throws {
        try await Listener.with { listener in
            let answer = try await listener.get("/openapi.json")
            let document = try #require(JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
            let paths = try #require(document["paths"] as? [String: Any])
            #expect(paths.count == 11)
            for path in paths.keys where path != "/admin/v1/stream" {
                let status = try await listener.get(path.replacingOccurrences(of: "{check}", with: "leader")).status
                #expect(status == 200, "\(path)")
            }
        }
    }

    @Test func `HTTP/2 and TLS are told in words what is spoken here`() async throws {
        try await Listener.with { listener in
            let http2 = try await listener.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            #expect(http2.contains("this port speaks plain HTTP/1.1"))
            let tls = try await listener.send(ByteBuffer(bytes: [0x16, 3, 1, 0, 4, 1, 0, 0, 0]))
            #expect(tls.hasPrefix("HTTP/1.1 400 "))
            #expect(tls.contains("this port speaks plain HTTP/1.1"))
        }
    }

    @Test func `a head beyond the bound is refused`() async throws {
        try await Listener.with { listener in
            let long = String(repeating: "x", count: AdminLimits.headByteCountMax)
            let answer = try await listener.send("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Long: \(long)\r\n\r\n")
            #expect(!answer.hasPrefix("HTTP/1.1 200"))
        }
    }
}
