import HTTP2Transport
import HTTPTypes
import HoldfastClient
import NIOCore

/// How the cluster is, and this node.
extension ClientRequestHandler {
    func answerCluster(on stream: HTTP2Stream) {
        self.run(on: stream) { [api] in
            await api.service.picture()
        } then: { handler, stream, picture in
            let status = ClusterStatus(picture, peers: handler.api.peers)
            let head = handler.api.head(.ok, fields: [.cacheControl: "no-store"])
            handler.answer(head, ByteBuffer(bytes: JSONDocument.encode(status)), on: stream)
        }
    }

    /// What this node knows of itself, as its admin listener has it: for programs that reach this listener only.
    func startNodeStatus(_ query: QueryParameters, on stream: HTTP2Stream) throws(Problem) {
        guard let status = self.api.status else { throw .noSuchRoute("/admin/v1/status") }
        let after = try query.value("events_after", expected: "the number of an event") { UInt64($0) }
        self.run(on: stream) {
            await status(after)
        } then: { handler, stream, status in
            let head = handler.api.head(.ok, fields: [.cacheControl: "no-store"])
            handler.answer(head, ByteBuffer(bytes: JSONDocument.encode(status)), on: stream)
        }
    }
}
