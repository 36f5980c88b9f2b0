import HTTP2Transport
import HoldfastClient
import NIOCore

/// What has come of a session and is not taken yet, which counts as an unfinished body.
///
/// Event loop only.
final class SessionInput {
    private var bytes = ByteBuffer()
    private let unfinished: UnfinishedBodies
    private var place: UnfinishedBodies.Place?
    /// Of the batch whose beginning has that place.
    private var placeSequence: UInt64 = 0

    init(countedIn unfinished: UnfinishedBodies) { self.unfinished = unfinished }

    var byteCount: Int { self.bytes.readableBytes }
    /// Where the next batch begins. It stands there until more comes.
    var offset: Int { self.bytes.readerIndex }

    func add(_ piece: ByteBuffer) { self.bytes.add(piece) }

    /// - Returns: `nil` when it is not whole.
    func nextBatch() throws(Problem) -> SessionBatch? {
        do { return try SessionBatch.next(from: &self.bytes) } catch { throw .badSession(error) }
    }

    /// Batches that were taken, and nothing came since.
    func batches(at place: Range<Int>) -> ByteBuffer {
        var batches = self.bytes
        batches.moveReaderIndex(to: place.lowerBound)
        batches.moveWriterIndex(to: place.upperBound)
        return batches
    }

    /// All batches were taken that may be. What is left begins with the batch `sequence`, and `session` may have to give way with it,
    /// also while it is held back: nobody else may have to wait for a client that reads no answers.
    func holdRest(of sequence: UInt64, for session: any UnfinishedBody, on stream: HTTP2Stream) {
        self.bytes.releaseRead()
        if self.placeSequence != sequence { self.leave() }
        guard self.byteCount > 0 else { return self.leave() }
        let place = self.place ?? self.unfinished.begin(session, on: stream)
        self.place = place
        self.placeSequence = sequence
        self.unfinished.hold(self.byteCount, at: place)
    }

    func drop() {
        self.leave()
        self.bytes = ByteBuffer()
    }

    /// The place is gone already.
    func gaveWay() {
        self.place = nil
        self.bytes = ByteBuffer()
    }

    private func leave() {
        if let place = self.place.take() { self.unfinished.leave(place) }
    }
}
