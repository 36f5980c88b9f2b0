import Access
import Foundation
import HTTPTypes
import HoldfastClient
import LogModel
import Logging
import Testing

@testable import HoldfastNode

/// What each route asks of a token.
@Suite struct AuthorizationTests {
    private static let all = Set(AccessScope.allCases)

    @Test func `Each route asks for the scope of what it does`() {
        let cursor = CursorName("billing")
        for route in [Route.append, .raiseFence] { #expect(route.scopes == [.append]) }
        for route in [Route.read, .record(LogIndex(1)), .tail, .cursors] { #expect(route.scopes == [.read]) }
        if let cursor {
            for route in [Route.cursor(cursor), .setCursor(cursor), .deleteCursor(cursor)] {
                #expect(route.scopes == [.read])
            }
        }
        for route in [Route.trim, .transfer, .addMember, .promoteMember(NodeID(1)), .removeMember(NodeID(1))] {
            #expect(route.scopes == [.admin])
        }
        for route in [Route.segments, .frames(SegmentID(0))] { #expect(route.scopes == [.read]) }
        #expect(Route.nodeStatus.scopes == [.read, .admin])
        #expect(Route.cluster.scopes == Self.all)
        #expect(Route.describe.scopes == nil)
    }

    private static func with(
        _ scopes: Set<AccessScope>, _ body: (Listener, _ bearer: HTTPFields) async throws -> Void
    ) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "holdfast-tokens-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (token, record) = TokenRecord.make(name: "billing", scopes: scopes)
        var file = TokenFile()
        try file.add(record)
        try file.text.write(toFile: path, atomically: true, encoding: .utf8)
        let security = try SecurityWatch(
            NodeSecurity(tokens: path), node: NodeID(1), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await Listener.with(security: security) { try await body($0, [.authorization: "Bearer \(token)"]) }
    }

    @Test func `Without a token the answer is 401, says so, and nothing is applied`() async throws {
        try await Self.with([.append]) { listener, _ in
            for (path, body) in [("/v1/records", "x"), ("/v1/trim?before=2", ""), ("/v1/fencing-token", "{}")] {
                let method: HTTPRequest.Method = path == "/v1/fencing-token" ? .put : .post
                let answer = try await listener.ask(method, path, body: body)
                #expect(answer.status == 401)
                #expect(answer.fields[.wwwAuthenticate] == #"Bearer realm="holdfast""#)
                #expect(answer.body.contains(#""code":"UNAUTHENTICATED""#) && answer.body.contains(#""applied":"no""#))
            }
            let wrong = try await listener.ask(.get, "/v1/records", [.authorization: "Bearer hf_x"])
            #expect(wrong.status == 401)
            #expect(wrong.fields[.wwwAuthenticate] == #"Bearer realm="holdfast", error="invalid_token""#)
            #expect(try await listener.ask(.get, "/openapi.json").status == 200)
            #expect(try await listener.ask(.get, "/v1/cluster").status == 401)
            #expect(try await listener.ask(.get, "/nothing").status == 404)
        }
    }

    @Test func `A token for something else is answered with 403 and the scope that is missing`() async throws {
        try await Self.with([.append]) { listener, bearer in
            #expect(try await listener.ask(.post, "/v1/records", bearer, body: "x").status == 201)
            #expect(try await listener.ask(.get, "/v1/cluster", bearer).status == 200)
            let read = try await listener.ask(.get, "/v1/records?from=1", bearer)
            #expect(read.status == 403)
            #expect(read.body.contains("the token billing is not for this: it lacks the scope read"))
            let trim = try await listener.ask(.post, "/v1/trim?before=1", bearer)
            #expect(trim.status == 403)
            #expect(
                trim.fields[.wwwAuthenticate]
                    == #"Bearer realm="holdfast", error="insufficient_scope", scope="admin""#)
        }
    }

    @Test func `A session without a token is refused at once, before its client ends it`() async throws {
        try await Self.with([.append]) { listener, _ in
            let client = HoldfastClient(servers: [listener.address], timeoutMilliseconds: 5_000)
            let error = await #expect(throws: ClientError.self) { _ = try await client.openSession() }
            guard case .refused(let problem)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(problem.code == "UNAUTHENTICATED")
            await client.shutdown()
        }
    }

    @Test func `Of the admin listener health, metrics and pages are open, and the rest asks for a token`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "holdfast-tokens-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var file = TokenFile()
        let (reader, record) = TokenRecord.make(name: "reader", scopes: [.read])
        let (writer, other) = TokenRecord.make(name: "writer", scopes: [.append])
        try file.add(record)
        try file.add(other)
        try file.text.write(toFile: path, atomically: true, encoding: .utf8)
        let authority = TokenAuthority(tokens: try TokenStore(path: path))
        func status(_ path: String, _ token: String? = nil, at route: String? = nil) -> Int? {
            var head = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: path)
            head.headerFields[.authorization] = token.map { "Bearer \($0)" }
            return authority.refusal(of: head, at: route ?? path)?.document.status
        }
        for path in ["/", "/livez", "/readyz?verbose", "/metrics", "/openapi.json"] { #expect(status(path) == nil) }
        #expect(status("/v1/records") == nil, "the client listener judges that")
        for path in ["/admin/v1/status", "/admin/v1/stream"] {
            #expect(status(path) == 401)
            #expect(status("//admin//v1", at: path) == 401, "the route counts")
            #expect(status(path, writer) == 403)
            #expect(status(path, reader) == nil)
        }
        func mirrored(_ method: HTTPRequest.Method, _ path: String, _ token: String? = nil) -> Int? {
            var head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path)
            head.headerFields[.authorization] = token.map { "Bearer \($0)" }
            return authority.refusal(ofMirrored: head)?.document.status
        }
        #expect(mirrored(.post, "/v1/records?expect=1") == 401)
        #expect(mirrored(.post, "/v1/records", reader) == 403)
        #expect(mirrored(.post, "/v1/records", writer) == nil)
        #expect(mirrored(.get, "/v1/records", reader) == nil)
        for token in [nil, writer] {
            #expect(mirrored(.post, "/v1/nothing", token) == 404, "before its body is read")
            #expect(mirrored(.post, "//v1/records", token) == 404)
            #expect(mirrored(.post, "/v1/cluster", token) == 405)
        }
    }

    @Test func `The end of a certificate is spoken of in time`() {
        let now = Date()
        let levels = [31.0, 29, 8, 6, -1].map { SecurityWatch.level(of: now + $0 * 86_400, now: now) }
        #expect(levels == [nil, .warning, .warning, .error, .error])
    }
}
