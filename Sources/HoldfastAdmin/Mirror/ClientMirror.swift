import HTTPTypes
import HoldfastClient
import Hummingbird
import NIOCore
import ServiceLifecycle

/// The client API in HTTP/1.1: `/v1`, and what changes members and leadership.
///
/// A request is read whole, since none is larger than an append may be; the answer goes on as it comes, also one that never
/// ends, and no faster than it is read.
struct ClientMirror: Sendable {
    let door: any ClientDoor
    let authority: any AdminAuthority
    private let bodies = BodyBudget(AdminLimits.mirroredBodiesByteCountMax, share: AdminLimits.mirroredByteCountShare)

    private static let methods: [HTTPRequest.Method] = [.get, .post, .put, .delete]

    /// Of a connection, and of no request (RFC 9110 §7.6.1; RFC 9113 §8.2.2).
    private static let hopFields = [
        "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade", "Expect",
    ]
    .compactMap { HTTPField.Name($0) }

    func add(to router: Router<AdminContext>) {
        for method in Self.methods {
            router.on("v1/**", method: method) { request, _ in try await self.pass(request) }
        }
        router.post("admin/v1/transfer") { request, _ in try await self.pass(request) }
        router.post("admin/v1/members") { request, _ in try await self.pass(request) }
        router.post("admin/v1/members/**") { request, _ in try await self.pass(request) }
        router.delete("admin/v1/members/**") { request, _ in try await self.pass(request) }
    }

    private func pass(_ request: Request) async throws -> Response {
        var head = HTTPRequest(
            method: request.method, scheme: "http", authority: nil, path: request.head.path,
            headerFields: request.headers)
        for name in Self.hopFields { head.headerFields[name] = nil }
        // What nobody may ask for is refused before its body takes room. The client listener judges the others again.
        if let refusal = self.authority.refusal(ofMirrored: head) { throw refusal }
        let answer = try await self.answer(head, of: request)
        return Response(
            status: answer.head.status, headers: answer.head.headerFields,
            body: ResponseBody { writer in
                // Else a reader that follows would hold up the end of the node.
                for try await part in answer.body.cancelOnGracefulShutdown() {
                    var rest = part
                    while let piece = rest.readSlice(length: min(rest.readableBytes, AdminLimits.writeByteCount)),
                        piece.readableBytes > 0
                    {
                        try await writer.write(piece)
                        answer.consumed(piece.readableBytes)
                    }
                }
                try await writer.finish(nil)
            })
    }

    private func answer(_ head: HTTPRequest, of request: Request) async throws -> DoorAnswer {
        let length = head.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        guard length <= AdminLimits.mirroredByteCountMax else { throw AdminProblem.bodyTooLarge }
        let place = BodyBudget.Place(in: self.bodies)
        // Until its answer begins: the client listener has the body then.
        defer { withExtendedLifetime(place) {} }
        return try await self.door.pass(head, body: Self.body(of: request, in: place))
    }

    private static func body(of request: Request, in place: BodyBudget.Place) async throws(AdminProblem) -> ByteBuffer {
        var body = ByteBuffer()
        do {
            for try await piece in request.body {
                guard body.readableBytes + piece.readableBytes <= AdminLimits.mirroredByteCountMax else {
                    throw AdminProblem.bodyTooLarge
                }
                guard place.take(piece.readableBytes) else { throw AdminProblem.bodiesUnfinished }
                body.writeImmutableBuffer(piece)
            }
        } catch {
            throw error as? AdminProblem ?? .bodyTooLarge
        }
        return body
    }
}
