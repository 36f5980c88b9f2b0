import HTTP2Transport
import HTTPTypes
import LogModel
import NIOCore

/// Durable cursors and the fencing token: what the log keeps for its readers and writers.
extension HoldfastClient {
    /// The durable cursors, ascending by name, as all that was acknowledged before has left them.
    public func cursors() async throws(ClientError) -> [CursorDocument] {
        let body = try await self.ask(.get, "/v1/cursors", waitMilliseconds: 0, at: nil)
        guard let list = JSONDocument.decode(CursorList.self, from: body.readableBytesView) else {
            throw .badAnswer("a list of cursors")
        }
        return list.cursors
    }

    /// - Returns: `nil` when there is none of this name.
    public func cursor(_ name: CursorName) async throws(ClientError) -> Cursor? {
        let body: ByteBuffer
        do throws(ClientError) {
            body = try await self.ask(.get, "/v1/cursors/\(name)", waitMilliseconds: 0, at: nil)
        } catch {
            if case .refused(let problem) = error, problem.code == "NO_SUCH_CURSOR" { return nil }
            throw error
        }
        guard let cursor = JSONDocument.decode(CursorDocument.self, from: body.readableBytesView)?.cursor else {
            throw .badAnswer("a cursor")
        }
        return cursor
    }

    /// Moves a cursor, forwards or back, or makes it.
    ///
    /// Of two moves that overlap, the one that the log takes later stays: let one reader move a cursor at a time.
    ///
    /// - Throws: ``ClientError/refused(_:)`` with `TOO_MANY_CURSORS` when the log has no room for another one.
    public func setCursor(_ name: CursorName, to cursor: Cursor) async throws(ClientError) {
        struct Body: Encodable {
            var index: UInt64
            var hold: Bool
        }
        let body = JSONDocument.encode(Body(index: cursor.index.rawValue, hold: cursor.holdsTrims))
        _ = try await self.change(.put, "/v1/cursors/\(name)", body: body)
    }

    /// - Returns: Whether there was one.
    @discardableResult
    public func deleteCursor(_ name: CursorName) async throws(ClientError) -> Bool {
        do throws(ClientError) {
            return try await self.change(.delete, "/v1/cursors/\(name)") == .noContent
        } catch {
            if case .refused(let problem) = error, problem.code == "NO_SUCH_CURSOR" { return false }
            throw error
        }
    }

    /// From here on no append with a lower token is taken: for whoever takes over from a writer that may still run, before
    /// it looks at the log.
    ///
    /// - Parameter token: At least 1; the log's own token changes nothing.
    /// - Throws: ``ClientError/refused(_:)`` with `FENCED` when the log has seen a higher one.
    public func raiseFence(to token: UInt64) async throws(ClientError) {
        _ = try await self.change(
            .put, "/v1/fencing-token", body: JSONDocument.encode(["token": token]))
    }

    /// A change that may be made twice: tried until an answer is certain or the time is up.
    private func change(
        _ method: HTTPRequest.Method, _ path: String, body: [UInt8]? = nil
    ) async throws(ClientError) -> HTTPResponse.Status {
        let deadline = ContinuousClock.now + .milliseconds(self.timeoutMilliseconds)
        var backoff = Backoff()
        var mayBeApplied = false
        while true {
            let failure: ClientError
            if let server = await self.pool.leader() {
                do throws(HTTP2ClientError) {
                    let (head, answer) = try await self.pool.execute(
                        method, path, body: body, at: server,
                        timeoutMilliseconds: self.attemptTimeoutMilliseconds)
                    if head.status.kind == .successful { return head.status }
                    failure = .answered(head, answer, at: server)
                } catch {
                    mayBeApplied = mayBeApplied || !error.isCertainlyUnprocessed
                    failure = ClientError(error, at: server)
                }
                self.pool.doubted(server)
            } else {
                failure = self.pool.absence
            }
            if case .refused(let problem) = failure { mayBeApplied = mayBeApplied || problem.applied == .unknown }
            guard failure.isWorthRetrying else {
                throw mayBeApplied && failure.isDenial ? .outcomeUnknown(failure.description) : failure
            }
            guard ContinuousClock.now < deadline, !Task.isCancelled else {
                throw mayBeApplied ? .outcomeUnknown(failure.description) : failure
            }
            await self.pause(&backoff)
        }
    }
}
