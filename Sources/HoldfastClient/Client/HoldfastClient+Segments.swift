import HTTP2Transport
import LogModel
import NIOCore

/// A node's files: what a backup copies. Each call asks one server once; the caller knows which others have the same bytes.
extension HoldfastClient {
    /// What `server` has, and how far it is committed.
    ///
    /// - Parameter timeoutMilliseconds: How long it may take to answer.
    package func segments(
        of server: ServerAddress, timeoutMilliseconds: UInt64 = ClientLimits.segmentTimeoutMilliseconds
    ) async throws(ClientError) -> SegmentsDocument {
        let answer = try await self.askOnce("/v1/segments", at: server, timeoutMilliseconds: timeoutMilliseconds)
        guard let document = JSONDocument.decode(SegmentsDocument.self, from: answer.body.readableBytesView) else {
            throw .badAnswer("\(server): /v1/segments")
        }
        return document
    }

    /// Committed frames, as they stand in the files of `server`.
    ///
    /// - Parameter byteCountMax: One frame comes in any case.
    /// - Returns: Whole frames, at offset 0 with the segment's header before them, and where to read on.
    /// - Throws: ``ClientError/refused(_:)``: with `DAMAGED` another server may have them; `BUSY` passes.
    package func frames(
        at position: Position, byteCountMax: Int, of server: ServerAddress
    ) async throws(ClientError) -> (bytes: Bytes, next: Position) {
        let path = "/v1/segments/\(position.segment)?offset=\(position.offset)&limit=\(byteCountMax)"
        let answer = try await self.askOnce(path, at: server)
        guard let next = answer.head.headerFields[.holdfastNextPosition].flatMap({ Position($0) }) else {
            throw .badAnswer("\(server): \(path)")
        }
        return (Array(buffer: answer.body)[...], next)
    }

    private func askOnce(
        _ path: String, at server: ServerAddress,
        timeoutMilliseconds: UInt64 = ClientLimits.segmentTimeoutMilliseconds
    ) async throws(ClientError) -> HTTP2Answer {
        let answer: HTTP2Answer
        do throws(HTTP2ClientError) {
            answer = try await self.pool.execute(
                .get, path, at: server, timeoutMilliseconds: timeoutMilliseconds)
        } catch {
            throw ClientError(error, at: server)
        }
        guard answer.head.status == .ok else { throw .answered(answer.head, answer.body, at: server) }
        return answer
    }
}
