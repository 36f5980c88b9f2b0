import LogModel

/// The latest start that this node has seen of each member.
struct StartLedger: Sendable {
    /// Enough for all members, and for some that are none any more.
    static let countMax = 128

    private(set) var sightings: [Member: StartSighting]

    init(_ sightings: [StartSighting]) {
        self.sightings = Dictionary(sightings.map { ($0.member, $0) }) { $0.starts > $1.starts ? $0 : $1 }
    }

    enum Meeting: Hashable {
        case known
        /// The first time, or started again since; to be remembered.
        case new
        /// Not the member that was seen then, but a copy of what it was before.
        case repeated(after: StartSighting)
    }

    /// - Parameter isNeeded: Who must not be forgotten when there are too many.
    mutating func met(_ start: MemberStart, isNeeded: (Member) -> Bool) -> Meeting {
        if let seen = self.sightings[start.member] {
            guard start.follows(seen) else { return .repeated(after: seen) }
            guard start.sighting != seen else { return .known }
        } else if self.sightings.count >= Self.countMax {
            self.sightings = self.sightings.filter { isNeeded($0.key) }
            guard self.sightings.count < Self.countMax else { return .known }
        }
        self.sightings[start.member] = start.sighting
        return .new
    }

    /// All of them, in order.
    var remembered: [StartSighting] { self.sightings.values.sorted { $0.member < $1.member } }
}
