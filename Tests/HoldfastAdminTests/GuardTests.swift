import HTTPTypes
import Testing

@testable import HoldfastAdmin

@Suite struct GuardTests {
    @Test(arguments: ["localhost", "localhost:7402", "127.0.0.1:7402", "[::1]:7402", "10.1.2.3", "Holdfast.Example:1"])
    func `addresses and names of this node are served`(host: String) async throws {
        try await Listener.with { listener in
            let answer = try await listener.get("/livez", host: host)
            #expect(answer.status == 200)
        }
    }

    @Test(arguments: ["evil.example", "evil.example:7402", "localhost.evil.example", "127.0.0.1.evil.example"])
    func `a name that somebody pointed here is refused, whatever is asked`(host: String) async throws {
        try await Listener.with { listener in
            for path in ["/", "/livez", "/admin/v1/status", "/nothing"] {
                let answer = try await listener.get(path, host: host)
                #expect(answer.status == 421)
                #expect(answer.body.contains("FOREIGN_HOST"))
            }
        }
    }

    @Test func `a page of another origin is refused, and this listener's own is not`() async throws {
        try await Listener.with { listener in
            for origin in ["http://evil.example", "null", "http://localhost:7400", "https://localhost.evil"] {
                let answer = try await listener.get("/admin/v1/status", host: "localhost:7402", "Origin: \(origin)")
                #expect(answer.status == 403, "\(origin)")
                #expect(answer.body.contains("FOREIGN_ORIGIN"))
            }
            let own = try await listener.get("/livez", host: "localhost:7402", "Origin: http://localhost:7402")
            #expect(own.status == 200)
        }
    }

    private struct Closed: AdminAuthority {
        func refusal(of head: HTTPRequest, at route: String?) -> AdminProblem? {
            head.headerFields[.authorization] == "Bearer yes"
                ? nil : AdminProblem(.unauthorized, "NO_TOKEN", "no token", hint: "Send one.")
        }

        func refusal(ofMirrored head: HTTPRequest) -> AdminProblem? { nil }
    }

    @Test func `every route asks whoever decides, pages and unknown paths included`() async throws {
        try await Listener.with(authority: Closed()) { listener in
            for path in ["/", "/livez", "/readyz/leader", "/admin/v1/stream", "/nothing"] {
                let refused = try await listener.get(path)
                #expect(refused.status == 401, "\(path)")
            }
            let answer = try await listener.get("/livez", "Authorization: Bearer yes")
            #expect(answer.status == 200)
            #expect(listener.node.refusals == Array(repeating: "NO_TOKEN", count: 5))
        }
    }

    /// Refuses by route, and lets all else through.
    private struct ClosedStatus: AdminAuthority {
        func refusal(of head: HTTPRequest, at route: String?) -> AdminProblem? {
            route == "/admin/v1/status" ? AdminProblem(.unauthorized, "NO_TOKEN", "no token", hint: "Send one.") : nil
        }

        func refusal(ofMirrored head: HTTPRequest) -> AdminProblem? { nil }
    }

    @Test(arguments: [
        "/admin/v1/status", "//admin/v1/status", "/admin//v1/status", "/admin/v1/status/", "/admin/v1/status?a=b",
        "http://localhost/admin/v1/status", "http://localhost//admin/v1/status", "///admin///v1///status///",
    ])
    func `however a path is written, the route that answers it is what is judged`(path: String) async throws {
        try await Listener.with(authority: ClosedStatus()) { listener in
            for method in ["GET", "HEAD"] {
                let answer = try await listener.ask(method, path)
                #expect(answer.status == 401, "\(method)")
            }
        }
    }

    @Test func `the node hears of each refusal once`() async throws {
        try await Listener.with { listener in
            _ = try await listener.get("/livez")
            _ = try await listener.get("/nothing")
            _ = try await listener.ask("DELETE", "/livez")
            _ = try await listener.get("/livez", host: "evil.example")
            _ = try await listener.get("/livez", "Origin: http://evil.example")
            _ = try await listener.get("/admin/v1/events?after=x")
            _ = try await listener.get("/readyz/nothing")
            #expect(
                listener.node.refusals == [
                    "NO_SUCH_ROUTE", "METHOD_NOT_ALLOWED", "FOREIGN_HOST", "FOREIGN_ORIGIN", "BAD_REQUEST",
                    "NO_SUCH_CHECK",
                ])
        }
    }
}
