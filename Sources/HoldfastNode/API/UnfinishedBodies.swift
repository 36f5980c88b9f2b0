import HTTP2Transport

/// Holds what has come of a body, and can drop it.
protocol UnfinishedBody: AnyObject {
    /// Lets go of it, and refuses the request. Its place is gone already.
    func giveWay()
}

/// Bodies that have begun to arrive and are not whole yet, over all connections of a listener; the beginning of a session's
/// next batch is one, too.
///
///     begin ------------------> [stands still for longest] <-> ... <-> [newest] --> whole, refused, or closed: leaves
///       goes on: to the end of       |
///       the line                     '-- when all hold more than they may: gives way
///
/// Nobody waits for room, so none can wait for a body that never ends. Beyond the bound the one that has not gone on for longest
/// is refused: who sends what he began has gone on later than who does not, or in drops.
///
/// Not whoever comes then, as on the admin listener: streams are many here, and some that keep any pace that a slow link has would
/// keep all others out.
///
/// Event loop only.
final class UnfinishedBodies {
    /// Going on means so many bytes more: drops are none.
    private static let progressByteCountMin = 64 << 10

    /// One body's place in the line.
    final class Place {
        fileprivate unowned let body: any UnfinishedBody
        fileprivate let stream: HTTP2Stream
        fileprivate var byteCount = 0
        /// How many there were when it went on last.
        fileprivate var progressByteCount = 0
        fileprivate unowned var older: Place?
        fileprivate var newer: Place?

        fileprivate init(_ body: any UnfinishedBody, on stream: HTTP2Stream) {
            self.body = body
            self.stream = stream
        }
    }

    private let byteCountMax: Int
    private(set) var byteCount = 0
    private var oldest: Place?
    private unowned var newest: Place?

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// - Parameter body: It leaves before it is gone.
    func begin(_ body: any UnfinishedBody, on stream: HTTP2Stream) -> Place {
        let place = Place(body, on: stream)
        self.append(place)
        return place
    }

    /// So much is held there now. May make others give way, and in the end this one.
    func hold(_ byteCount: Int, at place: Place) {
        self.byteCount += byteCount - place.byteCount
        place.byteCount = byteCount
        if byteCount - place.progressByteCount >= Self.progressByteCountMin {
            place.progressByteCount = byteCount
            self.remove(place)
            self.append(place)
        }
        while self.byteCount > self.byteCountMax, let oldest {
            self.leave(oldest)
            oldest.stream.record(.unfinishedBodies)
            oldest.body.giveWay()
        }
    }

    /// Once for each place.
    func leave(_ place: Place) {
        self.byteCount -= place.byteCount
        self.remove(place)
    }

    private func append(_ place: Place) {
        place.older = self.newest
        if let newest { newest.newer = place } else { self.oldest = place }
        self.newest = place
    }

    private func remove(_ place: Place) {
        let newer = place.newer.take()
        if let newer { newer.older = place.older } else { self.newest = place.older }
        if let older = place.older { older.newer = newer } else { self.oldest = newer }
        place.older = nil
    }
}
