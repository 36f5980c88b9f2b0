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
    private let bodies = BodyBudget()

    init(door: any ClientDoor) { self.door = door }

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
        let answer = try await self.answer(to: head, body: request.body)
        return Response(
            status: answer.head.status, headers: answer.head.headerFields,
            body: ResponseBody { writer in
                // Else a reader that follows would hold up the end of the node.
                for try await part in answer.body.cancelOnGracefulShutdown() {
                    try await writer.write(part)
                    answer.consumed(part.readableBytes)
                }
                try await writer.finish(nil)
            })
    }

    /// - Returns: Once the answer begins; the body is in memory until then.
    private func answer(to head: HTTPRequest, body parts: RequestBody) async throws(AdminProblem) -> DoorAnswer {
        let share = BodyBudget.Share(of: self.bodies)
        let body = try await Self.collect(parts, share)
        defer { withExtendedLifetime(share) {} }
        return try await self.door.pass(head, body: body)
    }

    private static func collect(
        _ parts: RequestBody, _ share: BodyBudget.Share
    ) async throws(AdminProblem) -> ByteBuffer {
        var body = ByteBuffer()
        do {
            for try await part in parts {
                guard body.readableBytes + part.readableBytes <= AdminLimits.mirroredByteCountMax else {
                    throw AdminProblem.bodyTooLarge
                }
                guard share.grow(by: part.readableBytes) else { throw AdminProblem.tooManyBodies }
                body.writeImmutableBuffer(part)
            }
        } catch {
            // Else the connection ended, or what came was no body.
            throw error as? AdminProblem ?? .bodyTooLarge
        }
        return body
    }
}
