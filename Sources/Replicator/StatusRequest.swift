import HTTP2Transport
import HTTPTypes
import NIOCore

/// What this node says of itself, in JSON, with its events behind a number.
package typealias StatusSource = @Sendable (_ eventsAfter: UInt64?) async -> [UInt8]

/// `GET /peer/v1/status?events_after=`: how nodes watch each other, so that each can show the whole cluster.
///
/// Rule: it is asked here, and not on the client port. Why: a node has no token, and on this port it needs none; whoever is
/// let in here, by a node's certificate where there is TLS, may read the log itself.
struct StatusRequest {
    static let path = "/peer/v1/status"

    let eventsAfter: UInt64?

    static func isMeant(by target: String) -> Bool { target.prefix { $0 != "?" } == self.path }

    /// - Returns: `nil` for a target that says something else than `events_after` and a number.
    init?(_ target: String) {
        let query = target.dropFirst(Self.path.count)
        guard !query.isEmpty else {
            self.eventsAfter = nil
            return
        }
        let name = "?events_after="
        guard query.hasPrefix(name), let number = UInt64(query.dropFirst(name.count)) else { return nil }
        self.eventsAfter = number
    }

    /// Answers on the stream once `source` has; ends with it.
    func answer(from source: @escaping StatusSource, on stream: HTTP2Stream) -> Task<Void, Never> {
        let eventLoop = stream.eventLoop
        let bound = NIOLoopBound(stream, eventLoop: eventLoop)
        return Task {
            let body = ByteBuffer(bytes: await source(self.eventsAfter))
            guard !Task.isCancelled else { return }
            let fields: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
            eventLoop.execute {
                bound.value.respond(HTTPResponse(status: .ok, headerFields: fields), body: body)
            }
        }
    }
}
