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
    let connections: AdminConnections

    private static let methods: [HTTPRequest.Method] = [.get, .post, .put, .delete]

    /// Of a connection, and of no request (RFC 9110 §7.6.1; RFC 9113 §8.2.2).
    private static let hopFields = [
        "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade", "Expect",
    ]
    .compactMap { HTTPField.Name($0) }

    func add(to router: Router<AdminContext>) {
        for method in Self.methods {
            router.on("v1/**", method: method) { try await self.pass($0, from: $1.remoteAddress) }
        }
        router.post("admin/v1/transfer") { try await self.pass($0, from: $1.remoteAddress) }
        router.post("admin/v1/members") { try await self.pass($0, from: $1.remoteAddress) }
        router.post("admin/v1/members/**") { try await self.pass($0, from: $1.remoteAddress) }
        router.delete("admin/v1/members/**") { try await self.pass($0, from: $1.remoteAddress) }
    }

    private func pass(_ request: Request, from address: SocketAddress?) async throws -> Response {
        var head = HTTPRequest(
            method: request.method, scheme: "http", authority: nil, path: request.head.path,
            headerFields: request.headers)
        for name in Self.hopFields { head.headerFields[name] = nil }
        // What nobody may ask for is refused before its body takes room. The client listener judges the others again.
        if let refusal = self.authority.refusal(ofMirrored: head) { throw refusal }
        let answer = try await self.answer(head, of: request, from: address)
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

    private func answer(
        _ head: HTTPRequest, of request: Request, from address: SocketAddress?
    ) async throws -> DoorAnswer {
        let length = request.announcedByteCount
        if let length, length > AdminLimits.mirroredByteCountMax { throw AdminProblem.bodyTooLarge }
        let body = HeldBody(in: self.connections.bodies)
        // Until its answer begins: the client listener has the body then.
        defer { body.leave() }
        let bytes: [ByteBuffer]
        do throws(AdminProblem) { bytes = try await self.whole(body, announcing: length, of: request) } catch {
            if error == .bodyStoodStill || error == .bodiesUnfinished {
                self.connections.record(.unfinishedBodies, by: address)
            }
            throw error
        }
        return try await self.door.pass(head, body: bytes)
    }

    /// - Returns: All of it, in pieces.
    private func whole(
        _ body: HeldBody, announcing length: Int?, of request: Request
    ) async throws(AdminProblem) -> [ByteBuffer] {
        if let length, self.connections.bodies.hasShare(for: length) {
            try await Self.read(request.body, into: body)
        } else {
            try await Self.readUntilRefused(request.body, into: body)
        }
        guard let bytes = body.complete() else { throw .bodyStoodStill }
        return bytes
    }

    /// The wait for more of a body that is refused ends at once; no more is read of its connection then.
    private static func readUntilRefused(_ bytes: RequestBody, into body: HeldBody) async throws(AdminProblem) {
        let reading = Task { () async -> Result<Void, AdminProblem> in
            do throws(AdminProblem) { return .success(try await Self.read(bytes, into: body)) } catch {
                return .failure(error)
            }
        }
        body.whenRefused { reading.cancel() }
        let result = await withTaskCancellationHandler {
            await reading.value
        } onCancel: {
            reading.cancel()
        }
        try result.get()
    }

    private static func read(_ bytes: RequestBody, into body: HeldBody) async throws(AdminProblem) {
        var byteCount = 0
        do {
            for try await piece in bytes {
                byteCount += piece.readableBytes
                guard byteCount <= AdminLimits.mirroredByteCountMax else { throw AdminProblem.bodyTooLarge }
                guard body.add(piece) else { throw AdminProblem.bodiesUnfinished }
            }
        } catch {
            if body.isRefused { throw .bodyStoodStill }
            throw error as? AdminProblem ?? .bodyEndedEarly
        }
    }
}

extension Request {
    /// How long its body is; `nil` when that is not known before it ends (RFC 9112 §6.3).
    fileprivate var announcedByteCount: Int? {
        guard self.headers[.transferEncoding] == nil else { return nil }
        return self.headers[.contentLength].flatMap { Int($0) } ?? 0
    }
}
