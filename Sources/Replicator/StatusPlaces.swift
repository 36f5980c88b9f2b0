import HTTP2Transport

/// How many ``StatusRequest``s of each connection are open. Event loop only.
///
/// Rule: one is open until its stream has closed, not until its answer was made. Why: an answer that nobody takes is in
/// memory as long, with up to a thousand events in it, and a node asks one at a time.
final class StatusPlaces {
    static let perConnectionMax = 8

    private var counts: [ObjectIdentifier: Int] = [:]

    /// One place of a connection.
    struct Place {
        fileprivate let connection: ObjectIdentifier
    }

    /// - Returns: `nil` when the stream's connection has taken all of its places, or the stream is closed; else what is to
    ///   be given back once the stream has closed.
    func take(for stream: HTTP2Stream) -> Place? {
        guard let connection = stream.connectionID, self.counts[connection, default: 0] < Self.perConnectionMax else {
            return nil
        }
        self.counts[connection, default: 0] += 1
        return Place(connection: connection)
    }

    func giveBack(_ place: Place) {
        let count = self.counts[place.connection, default: 0]
        self.counts[place.connection] = count > 1 ? count - 1 : nil
    }

    /// Over all connections.
    var takenCount: Int { self.counts.values.reduce(0, +) }
}
