/// What the session remembers of a stream from its HEADERS until nghttp2 closes it.
final class SessionStream {
    let id: HTTP2StreamID
    // Incoming.
    var fields: [HTTP2Field] = []
    var fieldsByteCount = 0
    /// Its list is over the limit: counted on, and kept no more.
    var isOverLimit = false
    var isHeadReceived = false
    var isEndReceived = false
    /// This side has reset it: what still comes is passed over.
    var isGivenUp = false
    // Outgoing.
    /// A request's HEADERS have left the session.
    var isHeadSent = false
    /// Body bytes announced and not yet framed.
    var queuedByteCount = 0
    /// Nothing follows what is queued.
    var isEnding = false
    var trailers: [HTTP2Field] = []
    /// nghttp2 waits for `resume_data`.
    var isDeferred = false

    init(id: HTTP2StreamID) { self.id = id }

    /// Hands the collected header list over.
    func takeFields() -> [HTTP2Field] {
        let taken = self.fields
        self.fields = []
        self.fieldsByteCount = 0
        return taken
    }
}
