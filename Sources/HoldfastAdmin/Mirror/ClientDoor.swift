import HTTPTypes
import HoldfastClient
import NIOCore

/// The way to this node's own client API, for whoever speaks HTTP/1.1 only.
package protocol ClientDoor: Sendable {
    /// Takes a whole request there and returns once its answer begins.
    ///
    /// - Parameter body: In pieces, none of them empty; no pieces are no body.
    /// Whoever is cancelled gives the request up, and gets an error that nobody is told of.
    ///
    /// - Throws: What became of the request, as far as is known: above all whether it may have been applied.
    func pass(_ head: HTTPRequest, body: [ByteBuffer]) async throws(AdminProblem) -> DoorAnswer
}

/// An answer of the client API whose body is still coming.
package struct DoorAnswer: Sendable {
    package var head: HTTPResponse
    /// Ends with the answer; with an error when the answer was cut short. Whoever lets go of it, or is cancelled while he
    /// waits for more, gives the rest up.
    package var body: AsyncThrowingStream<ByteBuffer, any Error>
    /// So many bytes were passed on: the other side may send as many more.
    package var consumed: @Sendable (Int) -> Void

    package init(
        head: HTTPResponse, body: AsyncThrowingStream<ByteBuffer, any Error>,
        consumed: @escaping @Sendable (Int) -> Void
    ) {
        self.head = head
        self.body = body
        self.consumed = consumed
    }
}
